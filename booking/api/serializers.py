"""What the booking API takes in and gives out."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from booking.states import AdjustmentKind, OnDecline, PayBy, Plan, ReservationStatus
from catalogue.states import SlotStatus
from common.serializers import (
    MailAddressField,
    MetadataField,
    PeriodQuery,
    StrictBooleanField,
    StrictDateField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
)
from payments.api.serializers import PaymentOut
from payments.providers import registry
from payments.states import CaptureMethod
from tenants.models import Language

HIGHEST_QUANTITY = 100
MOST_PLACES = 200


class RateOut(serializers.Serializer[Any]):
    """What one unit costs."""

    id = serializers.UUIDField()
    unit = serializers.CharField()
    name = serializers.CharField()
    amount = serializers.IntegerField(help_text="In the minor unit of the resource's currency.")


class ResourceOut(serializers.Serializer[Any]):
    """An activity or a thing that is sold."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    exclusive = serializers.BooleanField(help_text="One party has it for itself.")
    timezone = serializers.CharField(help_text="IANA name, for showing times.")
    currency = serializers.CharField()
    rates = RateOut(many=True)


class SlotOut(serializers.Serializer[Any]):
    """A departure."""

    id = serializers.UUIDField()
    resource_id = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    capacity = serializers.IntegerField()
    available = serializers.IntegerField(help_text="Places that can be had now; 0 unless it is open.")
    status = serializers.ChoiceField(choices=SlotStatus.choices)
    rates = RateOut(many=True)


class SlotQuery(PeriodQuery):
    """Which slots to list, by their start: ``from`` (default now) and ``to``."""

    resource_id = serializers.UUIDField(required=False, help_text="Only of this resource.")
    places = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_PLACES, help_text="Only slots with so many free places now."
    )


class ReservationQuery(PeriodQuery):
    """Which reservations to list; ``from`` and ``to`` are of their making."""

    status = serializers.ChoiceField(
        choices=ReservationStatus.choices, required=False, help_text="Only those that read as this now."
    )
    slot_id = serializers.UUIDField(required=False, help_text="Only of this slot.")
    reference = serializers.CharField(max_length=12, required=False, help_text="Only the one with this reference.")
    email = MailAddressField(required=False, help_text="Only of the customer with this address, in any case.")


class UnitIn(StrictSerializer):
    """So many of a unit."""

    unit = serializers.CharField(max_length=40)
    quantity = StrictIntegerField(min_value=1, max_value=HIGHEST_QUANTITY)


class CustomerIn(StrictSerializer):
    """Who the places are for."""

    name = serializers.CharField(max_length=200)
    email = MailAddressField()
    reference = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    language = serializers.ChoiceField(
        choices=Language.choices,
        required=False,
        default="",
        help_text="Of the mails to them; the operator's if left out.",
    )


class PaymentIn(StrictSerializer):
    """How it is to be paid."""

    provider = serializers.ChoiceField(choices=registry.names())
    capture_method = serializers.ChoiceField(choices=CaptureMethod.choices, default=CaptureMethod.MANUAL)
    payment_method_id = serializers.RegexField(r"\A[A-Za-z0-9_]+\Z", max_length=255, required=False, default="")


class ReservationIn(StrictSerializer):
    """A reservation to make."""

    slot_id = StrictUUIDField(required=False)
    resource_id = StrictUUIDField(required=False, help_text="An exclusive resource, booked as a whole.")
    date = StrictDateField(required=False, help_text="With a `resource_id`: the local day; today there if left out.")
    units = UnitIn(many=True, required=False, default=list, allow_empty=False)
    customer = CustomerIn()
    payment = PaymentIn(required=False, help_text="Needed where a provider is to be paid.")
    pay_by = serializers.ChoiceField(
        choices=PayBy.choices,
        default=PayBy.PROVIDER,
        help_text="`on_arrival` and `account` need the scope `sell`: no provider is asked; it is confirmed at once.",
    )
    hold = StrictBooleanField(
        default=False, help_text="With `on_arrival` or `account`: hold the places for a time, to be confirmed later."
    )
    plan = serializers.ChoiceField(
        choices=Plan.choices, default=Plan.FULL, help_text="`deposit`: as the resource says, the rest by its date."
    )
    on_decline = serializers.ChoiceField(
        choices=OnDecline.choices,
        default=OnDecline.RELEASE,
        help_text="With `keep` a declined card leaves the hold, and another payment may follow until it ends.",
    )
    metadata = MetadataField(required=False)

    def validate_units(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Bound the places of one reservation."""
        most = settings.MAX_PLACES_PER_RESERVATION
        if sum(line["quantity"] for line in value) > most:
            raise serializers.ValidationError(f"At most {most} places in one reservation.", "max_value")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require one of slot and resource; units and date as each allows."""
        if ("slot_id" in attrs) == ("resource_id" in attrs):
            message = "Give either a slot_id or a resource_id."
            raise serializers.ValidationError({"slot_id": [serializers.ErrorDetail(message, "required")]})
        if attrs["pay_by"] == PayBy.PROVIDER and "payment" not in attrs:
            raise serializers.ValidationError(
                {"payment": [serializers.ErrorDetail("This field is required.", "required")]}
            )
        if attrs["pay_by"] != PayBy.PROVIDER and "payment" in attrs:
            message = "No provider is asked for this."
            raise serializers.ValidationError({"payment": [serializers.ErrorDetail(message, "invalid")]})
        if attrs["hold"] and attrs["pay_by"] == PayBy.PROVIDER:
            message = "What a provider is paid by is held as its payment says."
            raise serializers.ValidationError({"hold": [serializers.ErrorDetail(message, "invalid")]})
        if "slot_id" in attrs and "date" in attrs:
            message = "A date can be given only with a resource_id."
            raise serializers.ValidationError({"date": [serializers.ErrorDetail(message, "invalid")]})
        if "slot_id" in attrs and not attrs["units"]:
            raise serializers.ValidationError(
                {"units": [serializers.ErrorDetail("This field is required.", "required")]}
            )
        return attrs


class ReasonIn(StrictSerializer):
    """Why something is done; kept in the history."""

    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class ExtendIn(StrictSerializer):
    """How long a hold is to last."""

    minutes = StrictIntegerField(min_value=1, max_value=10_080, help_text="From now on.")
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class SoldUnitOut(serializers.Serializer[Any]):
    """Units of one kind, as they were sold."""

    unit = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Of one, in the currency's minor unit.")


class CustomerOut(serializers.Serializer[Any]):
    """Who the places are for."""

    name = serializers.CharField()
    email = serializers.EmailField()
    reference = serializers.CharField(allow_null=True)
    language = serializers.ChoiceField(choices=Language.choices, allow_null=True)


class AdjustmentOut(serializers.Serializer[Any]):
    """A change of a reservation's price, or of its debt."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=AdjustmentKind.choices)
    name = serializers.CharField(allow_null=True)
    amount = serializers.IntegerField(help_text="Added to what is owed; less than nothing lowers it.")
    at = serializers.DateTimeField()


class ChangeOut(serializers.Serializer[Any]):
    """A change that is open: places held beside those of the reservation."""

    id = serializers.UUIDField()
    slot_id = serializers.UUIDField()
    places = serializers.IntegerField(help_text="Held on that slot beside what the reservation has.")
    amount = serializers.IntegerField(help_text="What the price becomes more by.")
    amount_due = serializers.IntegerField(help_text="What has to be paid before it is done.")
    expires_at = serializers.DateTimeField()


class DueOut(serializers.Serializer[Any]):
    """A part that has to be paid by a time."""

    purpose = serializers.CharField(help_text="`deposit`, `balance` or `payment`.")
    amount = serializers.IntegerField()
    by = serializers.DateTimeField(allow_null=True, help_text="Null: at once.")
    status = serializers.CharField(help_text="`open`, `secured` (held, or being captured) or `paid`.")


class CancellationOut(serializers.Serializer[Any]):
    """What a cancellation would come to now."""

    fee = serializers.IntegerField(help_text="What is kept, in the currency's minor unit.")
    refund = serializers.IntegerField(help_text="What goes back to the guest: the `expected_refund` of a cancellation.")
    on_account = serializers.IntegerField(help_text="What is taken off the reseller's account.")
    currency = serializers.CharField()
    terms = serializers.ListField(child=serializers.CharField())


class ReservationOut(serializers.Serializer[Any]):
    """Places for a customer, and where they stand."""

    id = StrictUUIDField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=ReservationStatus.choices)
    resource_id = StrictUUIDField()
    slot_id = StrictUUIDField(allow_null=True)
    date = serializers.DateField(allow_null=True, help_text="The local day, of a resource that is booked as a whole.")
    units = SoldUnitOut(many=True, help_text="That it has; those given back are among the adjustments.")
    places = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="What was sold, in the currency's minor unit.")
    amount_owed = serializers.IntegerField(help_text="All that has to be paid for it, by now.")
    amount_proven = serializers.IntegerField(help_text="What the provider's events prove: captured less given back.")
    amount_collected = serializers.IntegerField(help_text="What receipts come to: cash and the like, and on account.")
    balance = serializers.IntegerField(
        help_text="What is still to be paid; less than 0 is given back. What is on its way back counts as given back."
    )
    currency = serializers.CharField()
    pay_by = serializers.ChoiceField(choices=PayBy.choices)
    dues = DueOut(many=True, help_text="What has to be paid by when.")
    terms = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Of a cancellation, as they were sold."
    )
    adjustments = AdjustmentOut(many=True, help_text="What has changed its price, or what is owed of it.")
    change = ChangeOut(allow_null=True, help_text="The open change; null: none.")
    customer = CustomerOut()
    expires_at = serializers.DateTimeField(allow_null=True)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    metadata = serializers.DictField(child=serializers.CharField())


class ReservationAndPaymentOut(serializers.Serializer[Any]):
    """A reservation with its payment."""

    reservation = ReservationOut()
    payment = PaymentOut(
        allow_null=True, help_text="The live payment; else the last that took money; else the last. Null: none."
    )
    payments = PaymentOut(many=True, help_text="All its payments, oldest first.")


class HistoryOut(serializers.Serializer[Any]):
    """One change of status."""

    at = serializers.DateTimeField()
    to = serializers.CharField()
    actor = serializers.CharField(help_text="client:…, event:…, sweep:…, provider:… or user:…; or a role.")
    reason = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add ``from``, which is no name for a Python attribute."""
        fields = super().get_fields()
        first = {"at": fields.pop("at"), "from": serializers.CharField(allow_null=True)}
        return {**first, **fields}

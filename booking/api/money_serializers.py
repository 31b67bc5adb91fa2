"""What the API of a reservation's money takes in."""

from typing import Any

from rest_framework import serializers

from booking.adjusting import BY_HAND
from booking.api.serializers import UnitIn
from booking.states import ReceiptMethod
from catalogue import pricing
from common.serializers import StrictBooleanField, StrictIntegerField, StrictSerializer, StrictUUIDField
from payments.api.serializers import AmountField
from payments.providers import registry


class UnitsField(serializers.RegexField):
    """Units in a query, such as ``adult:1,child:2``."""

    def __init__(self, **given: Any) -> None:
        unit = r"[a-z0-9_-]{1,40}:[1-9][0-9]{0,2}"
        super().__init__(rf"\A{unit}(,{unit})*\Z", max_length=500, required=False, **given)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Read them, once they are known to be well-formed."""
        lines = (line.split(":") for line in super().run_validation(data).split(","))
        return [pricing.WantedUnit(unit=unit, quantity=int(number)) for unit, number in lines]


class MethodIn(StrictSerializer):
    """Which provider is paid, and by what."""

    provider = serializers.ChoiceField(choices=registry.names())
    payment_method_id = serializers.RegexField(r"\A[A-Za-z0-9_]+\Z", max_length=255, required=False, default="")


class AttemptIn(MethodIn):
    """Another payment for a reservation."""

    amount = AmountField(required=False)
    change_id = StrictUUIDField(required=False, help_text="The open change to pay for; left out: what is due.")
    replace = StrictBooleanField(
        default=False, help_text="Give up a live payment that is another: it is closed first, then this one begins."
    )


class ReceiptIn(StrictSerializer):
    """Money that was taken."""

    method = serializers.ChoiceField(choices=[each for each in ReceiptMethod.choices if each[0] != "account"])
    amount = AmountField(required=False)
    till_id = StrictUUIDField(required=False, help_text="Left out: for cash the only open till of the currency.")
    reference = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class AdjustmentIn(StrictSerializer):
    """A change of what a reservation costs."""

    kind = serializers.ChoiceField(choices=[(kind.value, kind.label) for kind in BY_HAND])
    amount = AmountField()
    name = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    reason = serializers.CharField(max_length=500)


class CancelIn(StrictSerializer):
    """A cancellation, and what is expected of it."""

    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    expected_refund = StrictIntegerField(
        min_value=0, required=False, default=0, help_text="As `GET …/cancellation` told; another one is refused."
    )
    fee = StrictIntegerField(
        min_value=0, required=False, help_text="What is kept, as a person says. Needs the scope `refund`."
    )
    units = UnitIn(many=True, required=False, default=list, help_text="Only these. Left out: all of it.")
    by = serializers.ChoiceField(
        choices=["guest", "operator"],
        default="guest",
        help_text="`operator` keeps nothing of what is sold, and needs the scope `refund`.",
    )


class CancellationQuery(StrictSerializer):
    """What a cancellation would be of."""

    units = UnitsField(help_text="Only these, such as `adult:1,child:2`. Left out: all of it.")

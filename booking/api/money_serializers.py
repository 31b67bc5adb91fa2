"""What the API of a reservation's money takes in."""

from rest_framework import serializers

from booking.adjusting import BY_HAND
from booking.api.serializers import UnitIn
from booking.states import ReceiptMethod
from common.serializers import StrictBooleanField, StrictIntegerField, StrictSerializer, StrictUUIDField
from payments.api.serializers import AmountField
from payments.providers import registry


class AttemptIn(StrictSerializer):
    """Another payment for a reservation."""

    provider = serializers.ChoiceField(choices=registry.names())
    payment_method_id = serializers.RegexField(r"\A[A-Za-z0-9_]+\Z", max_length=255, required=False, default="")
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

    units = serializers.RegexField(
        r"\A[a-z0-9_-]{1,40}:[1-9][0-9]{0,2}(,[a-z0-9_-]{1,40}:[1-9][0-9]{0,2})*\Z",
        max_length=500,
        required=False,
        help_text="Only these, such as `adult:1,child:2`. Left out: all of it.",
    )

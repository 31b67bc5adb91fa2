"""What the API of a reservation's money takes in."""

from rest_framework import serializers

from booking.adjusting import BY_HAND
from booking.states import ReceiptMethod
from common.serializers import StrictBooleanField, StrictSerializer, StrictUUIDField
from payments.api.serializers import AmountField
from payments.providers import registry


class AttemptIn(StrictSerializer):
    """Another payment for a reservation."""

    provider = serializers.ChoiceField(choices=registry.names())
    payment_method_id = serializers.RegexField(r"\A[A-Za-z0-9_]+\Z", max_length=255, required=False, default="")
    amount = AmountField(required=False)
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

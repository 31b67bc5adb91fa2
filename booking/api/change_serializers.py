"""What the API of changes takes in and gives out."""

from typing import Any

from rest_framework import serializers

from booking.api.serializers import UnitIn
from booking.states import OnDecline
from common.serializers import StrictIntegerField, StrictSerializer, StrictUUIDField
from payments.providers import registry


class ChangePaymentIn(StrictSerializer):
    """How what is due for a change is paid."""

    provider = serializers.ChoiceField(choices=registry.names())
    payment_method_id = serializers.RegexField(r"\A[A-Za-z0-9_]+\Z", max_length=255, required=False, default="")


class ChangeIn(StrictSerializer):
    """Another departure, more units, or both."""

    slot_id = StrictUUIDField(required=False, help_text="Left out: the departure that it has.")
    units = UnitIn(many=True, required=False, default=list, help_text="Beside those that it has.")
    payment = ChangePaymentIn(required=False, help_text="Left out: by `POST …/payments` with its `change_id`.")
    expected_difference = StrictIntegerField(
        required=False, help_text="As `GET …/change` told; another one is refused."
    )
    on_decline = serializers.ChoiceField(choices=OnDecline.choices, default=OnDecline.RELEASE)
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class ChangeQuery(StrictSerializer):
    """What a change would be of."""

    slot_id = StrictUUIDField(required=False, help_text="Left out: the departure that it has.")
    units = serializers.RegexField(
        r"\A[a-z0-9_-]{1,40}:[1-9][0-9]{0,2}(,[a-z0-9_-]{1,40}:[1-9][0-9]{0,2})*\Z",
        max_length=500,
        required=False,
        help_text="Beside those that it has, such as `adult:1,child:2`.",
    )


class ChangeQuoteOut(serializers.Serializer[Any]):
    """What a change would come to now."""

    difference = serializers.IntegerField(help_text="What the price becomes more by; less than 0 goes back.")
    due = serializers.IntegerField(help_text="What of it has to be paid before the change is done.")
    currency = serializers.CharField()

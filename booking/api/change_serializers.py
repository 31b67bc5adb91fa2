"""What the API of changes takes in and gives out."""

from typing import Any

from rest_framework import serializers

from booking.api.money_serializers import MethodIn, UnitsField
from booking.api.serializers import UnitIn
from booking.states import OnDecline
from common.serializers import StrictIntegerField, StrictSerializer, StrictUUIDField


class ChangeIn(StrictSerializer):
    """Another departure, more units, or both."""

    slot_id = StrictUUIDField(required=False, help_text="Left out: the departure that it has.")
    units = UnitIn(many=True, required=False, default=list, help_text="Beside those that it has.")
    payment = MethodIn(required=False, help_text="Left out: by `POST …/payments` with its `change_id`.")
    expected_difference = StrictIntegerField(
        required=False, help_text="As `GET …/change` told; another one is refused."
    )
    on_decline = serializers.ChoiceField(choices=OnDecline.choices, default=OnDecline.RELEASE)
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class ChangeQuery(StrictSerializer):
    """What a change would be of."""

    slot_id = StrictUUIDField(required=False, help_text="Left out: the departure that it has.")
    units = UnitsField(help_text="Beside those that it has, such as `adult:1,child:2`.")


class ChangeQuoteOut(serializers.Serializer[Any]):
    """What a change would come to now."""

    difference = serializers.IntegerField(help_text="What the price becomes more by; less than 0 goes back.")
    due = serializers.IntegerField(help_text="What of it has to be paid before the change is done.")
    currency = serializers.CharField()

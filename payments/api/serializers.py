"""What the payments API takes in and gives out."""

from typing import Any

from rest_framework import serializers

from common import currencies, iso_4217
from common.serializers import (
    MetadataField,
    PeriodQuery,
    StrictBooleanField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
)
from payments.models import CheckResult
from payments.states import (
    CaptureMethod,
    CommandKind,
    CommandStatus,
    PaymentStatus,
    RefundStatus,
    TransactionKind,
    TransactionStatus,
)

REASONS = ("requested_by_customer", "duplicate", "fraudulent")
_AMOUNT = "In the currency's minor unit: 2599 is 25.99 USD, and 2599 JPY."


class AmountField(StrictIntegerField):
    """An amount of money; errors about its limits carry the currency."""

    default_error_messages = {  # noqa: RUF012  # as DRF has it
        "min_value": "An amount must be more than zero.",
        "max_value": "This amount is too large.",
    }

    def __init__(self, **given: Any) -> None:
        super().__init__(min_value=1, max_value=10**12, help_text=_AMOUNT, **given)


class CurrencyField(serializers.RegexField):
    """A currency that there is."""

    def __init__(self, **given: Any) -> None:
        super().__init__(r"\A[A-Z]{3}\Z", max_length=3, help_text="ISO 4217, upper case.", **given)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Refuse anything but a valid code, always by the same code."""
        if data is not serializers.empty and data is not None and not currencies.is_currency(data):
            raise serializers.ValidationError(iso_4217.WANTED, "invalid_currency")
        return super().run_validation(data)


class FailureOut(serializers.Serializer[Any]):
    """Why the money was not had."""

    code = serializers.CharField()
    message = serializers.CharField()


class PaymentOut(serializers.Serializer[Any]):
    """A payment beside its reservation."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    provider = serializers.CharField()
    provider_ref = serializers.CharField(allow_null=True)
    amount = serializers.IntegerField(help_text="In the currency's minor unit.")
    currency = serializers.CharField()
    client_secret = serializers.CharField(allow_null=True, help_text="Only for callers with the scope `book`.")
    next_action = serializers.DictField(allow_null=True, help_text="Only for callers with the scope `book`.")
    failure = FailureOut(allow_null=True)
    late = serializers.BooleanField(help_text="Its money came after it had failed or was canceled.")


class IntentIn(StrictSerializer):
    """A payment to make."""

    amount = AmountField()
    currency = CurrencyField()
    customer_id = serializers.CharField(max_length=255, required=False, default="")
    payment_method_id = serializers.RegexField(r"\A[A-Za-z0-9_]+\Z", max_length=255, required=False, default="")
    capture_method = serializers.ChoiceField(choices=CaptureMethod.choices, default=CaptureMethod.AUTOMATIC)
    metadata = MetadataField(required=False, default=dict)


class ConfirmIn(StrictSerializer):
    """What to pay with, unless that was said before."""

    payment_method_id = serializers.RegexField(r"\A[A-Za-z0-9_]+\Z", max_length=255, required=False, default="")


class ConfirmQuery(StrictSerializer):
    """How to confirm."""

    force = serializers.ChoiceField(choices=("failure",), required=False, default="")


class CaptureIn(StrictSerializer):
    """How much to take; all of it by default."""

    amount = AmountField(required=False)


class NothingIn(StrictSerializer):
    """A body that says nothing."""


class RefundIn(StrictSerializer):
    """Money to give back; all that is left by default."""

    payment_id = StrictUUIDField()
    amount = AmountField(required=False)
    reason = serializers.ChoiceField(choices=REASONS, required=False, default="")
    keep_places = StrictBooleanField(
        required=False,
        default=False,
        help_text="Of a reservation: whether it keeps its places when all its money is back.",
    )


class TransactionQuery(PeriodQuery):
    """Which movements of money to list."""

    status = serializers.ChoiceField(choices=TransactionStatus.choices, required=False)
    kind = serializers.ChoiceField(choices=TransactionKind.choices, required=False)


class DisputeOut(serializers.Serializer[Any]):
    """A chargeback."""

    id = serializers.UUIDField()
    provider_ref = serializers.CharField()
    amount = serializers.IntegerField(help_text=_AMOUNT)
    currency = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    status = serializers.CharField(help_text="The provider's word.")
    is_closed = serializers.BooleanField()
    respond_by = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class IntentOut(serializers.Serializer[Any]):
    """A payment."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    amount = serializers.IntegerField(help_text=_AMOUNT)
    currency = serializers.CharField()
    customer_id = serializers.CharField(allow_null=True)
    payment_method_id = serializers.CharField(allow_null=True)
    capture_method = serializers.ChoiceField(choices=CaptureMethod.choices)
    client_secret = serializers.CharField(allow_null=True, help_text="Only for callers with the scope `book`.")
    next_action = serializers.DictField(allow_null=True, help_text="Only for callers with the scope `book`.")
    failure = FailureOut(allow_null=True)
    metadata = serializers.DictField(child=serializers.CharField())
    provider = serializers.CharField()
    provider_ref = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class AcceptedOut(serializers.Serializer[Any]):
    """A payment that a worker is moving on."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)


class PaymentResultOut(serializers.Serializer[Any]):
    """What came of a payment."""

    payment_id = serializers.UUIDField()
    payment_intent_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    captured_amount = serializers.IntegerField(help_text=_AMOUNT)
    refunded_amount = serializers.IntegerField(help_text=_AMOUNT)
    auth_code = serializers.CharField(allow_null=True)
    receipt_url = serializers.CharField(allow_null=True)
    disputes = DisputeOut(many=True)


class RefundOut(serializers.Serializer[Any]):
    """A refund."""

    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    amount = serializers.IntegerField(help_text=_AMOUNT)
    currency = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=RefundStatus.choices)
    created_at = serializers.DateTimeField()


class TransactionOut(serializers.Serializer[Any]):
    """A movement of money, or the wish for one."""

    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=TransactionKind.choices)
    status = serializers.ChoiceField(choices=TransactionStatus.choices)
    amount = serializers.IntegerField(help_text=_AMOUNT)
    currency = serializers.CharField()
    provider = serializers.CharField()
    provider_ref = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class CommandOut(serializers.Serializer[Any]):
    """What was asked of the provider, and what came of it."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=CommandKind.choices)
    status = serializers.ChoiceField(choices=CommandStatus.choices)
    amount = serializers.IntegerField(help_text=_AMOUNT)
    attempts = serializers.IntegerField()
    requested_by = serializers.CharField()
    error = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class AttemptOut(serializers.Serializer[Any]):
    """A status check at the provider, and its result."""

    number = serializers.IntegerField()
    result = serializers.ChoiceField(choices=CheckResult.choices)
    provider_status = serializers.CharField(allow_null=True)
    done = serializers.CharField(allow_null=True, help_text="What was done about what it found.")
    error = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class TransactionDetailOut(TransactionOut):
    """A movement of money with the commands to the provider."""

    commands = CommandOut(many=True)
    attempts = AttemptOut(many=True, help_text="Every try to find out what the provider did not tell.")

"""Checks of a provider's limits, before anything is stored."""

from common import currencies
from common.errors import ValidationError
from payments.models import Payment
from payments.providers import registry
from payments.states import CaptureMethod


def check_amount(*, provider: str, amount: int, currency: str, param: str = "amount") -> None:
    """Refuse an amount (minor units) that the provider cannot charge.

    ``param`` is the field of the request that the amount comes from.

    Raises:
        ValidationError: ``invalid_currency`` or ``invalid_amount``, with what is wrong.
    """
    currencies.exponent(currency)
    limits = registry.get(provider).limits(currency=currency)
    if limits is None:
        raise ValidationError(param="currency", code="invalid_currency", message=f"{currency} cannot be charged.")
    if not limits.lowest <= amount <= limits.highest:
        least, most = currencies.shown(limits.lowest, currency), currencies.shown(limits.highest, currency)
        message = f"{currencies.shown(amount, currency)} cannot be charged; the limits are {least} and {most}."
        raise ValidationError(param=param, code="invalid_amount", message=message)
    if amount % limits.step:
        message = f"An amount in {currency} must be a multiple of {currencies.shown(limits.step, currency)}."
        raise ValidationError(param=param, code="invalid_amount", message=message)


def step(*, provider: str, currency: str) -> int:
    """Return the step of an amount, in minor units."""
    limits = registry.get(provider).limits(currency=currency)
    return limits.step if limits is not None else 1


def check_capture_method(*, provider: str, wanted: CaptureMethod, param: str = "capture_method") -> None:
    """Refuse a hold at a provider that only takes money at once.

    Raises:
        ValidationError: ``invalid_choice``.
    """
    if wanted is CaptureMethod.MANUAL and registry.get(provider).capabilities.longest_hold is None:
        message = f"{provider} cannot hold money: use the capture method automatic."
        raise ValidationError(param=param, code="invalid_choice", message=message)


def check_capture(*, payment: Payment, amount: int) -> None:
    """Refuse an amount (minor units) that a hold cannot give.

    Raises:
        ValidationError: ``invalid_amount``: more than is held, or a part where only the whole is captured.
    """
    held = currencies.shown(payment.amount, payment.currency)
    if amount > payment.amount:
        raise ValidationError(param="amount", code="invalid_amount", message=f"Capture exceeds the held {held}.")
    if amount < payment.amount and not registry.get(payment.provider).capabilities.partial_capture:
        message = f"{payment.provider} captures the whole hold of {held}, not a part of it."
        raise ValidationError(param="amount", code="invalid_amount", message=message)
    check_amount(provider=payment.provider, amount=amount, currency=payment.currency)

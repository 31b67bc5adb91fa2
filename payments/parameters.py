"""What a command is sent with, frozen when it is stored.

A retry asks with the same words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from common import times
from payments.models import Payment, Refund
from payments.providers import registry
from payments.states import CommandKind

FROZEN_FIELDS = ("amount", "currency", "capture_method", "payment_method_id")
"""Every field of a payment that :func:`freeze` looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What only a command that begins a payment tells, frozen with it."""

    payer: Mapping[str, str] = field(default_factory=dict)
    """``name``, ``email`` and ``reference``, as far as known; kept only for a provider that needs them."""
    expires_at: datetime | None = None
    """When what the guest pays by is to end. None: whenever the provider ends it."""


def freeze(
    payment: Payment,
    kind: CommandKind,
    *,
    amount: int,
    refund: Refund | None,
    beginning: Beginning | None,
    now: datetime,
) -> dict[str, object]:
    """Return the parameters of a new command; ``amount`` in minor units."""
    frozen: dict[str, object] = {
        "payment_id": str(payment.pk),
        "amount": amount,
        "currency": payment.currency,
        "capture_method": payment.capture_method,
        "payment_method_id": "" if kind is CommandKind.CREATE else payment.payment_method_id,
        "installation": settings.INSTALLATION,
    }
    if refund is not None:
        frozen |= {"refund_id": str(refund.pk), "reason": refund.reason}
    return frozen | (_begun(payment, beginning, now=now) if beginning is not None else {})


def _begun(payment: Payment, beginning: Beginning, *, now: datetime) -> dict[str, object]:
    """Freeze who pays, if the provider needs it, and by when, if it shows a code."""
    capable = registry.get(payment.provider).capabilities
    frozen: dict[str, object] = {}
    if capable.needs_payer:
        frozen["payer"] = {name: text for name, text in beginning.payer.items() if text}
    if capable.longest_code is not None:
        latest = now + capable.longest_code
        frozen["expires_at"] = times.rfc3339(min(beginning.expires_at or latest, latest))
    return frozen

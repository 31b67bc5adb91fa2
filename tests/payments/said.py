"""A payment that is in no database, and what a provider has to tell of it."""

from datetime import UTC, datetime
from uuid import UUID

from payments.models import Payment
from payments.outcome_types import Outcome, ProviderPayment
from payments.states import CaptureMethod

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def payment(status: str = "processing", **changes: object) -> Payment:
    fields = {"provider": "stripe", "amount": 4500, "currency": "USD", "capture_method": CaptureMethod.MANUAL}
    return Payment(id=UUID(int=7), status=status, created_at=NOW, changed_at=NOW, **(fields | changes))


def told(outcome: Outcome, **changes: object) -> ProviderPayment:
    captured = 4500 if outcome is Outcome.CAPTURED else 0
    fields: dict[str, object] = {"ref": "pi_1", "amount": 4500, "currency": "USD", "amount_captured": captured}
    return ProviderPayment(outcome=outcome, **(fields | changes))  # type: ignore[arg-type]

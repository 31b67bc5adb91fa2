"""What happened to a payment, in our words.

Learned by our own call, a webhook, the reconciler or a person.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from payments.models import Command
from payments.states import LedgerKind, RefundStatus


class Outcome(StrEnum):
    """What a provider says of a payment; ``UNKNOWN`` included."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    HELD = "held"
    CAPTURED = "captured"
    CANCELED = "canceled"
    DECLINED = "declined"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why money was not had, by the provider.

    Its code, and its words for the customer.
    """

    code: str
    message: str
    is_temporary: bool = False
    """Refused at this moment only: the same request may be taken later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPayment:
    """A payment as the provider has it.

    Amounts are in the currency's minor unit, whatever the provider writes.
    """

    ref: str
    outcome: Outcome
    amount: int
    currency: str
    amount_captured: int = 0
    account: str = ""
    payment_id: UUID | None = None
    """Our own id, which we gave the provider with the payment; None for a payment that is not ours."""
    installation: str = ""
    """The installation that made it, by the name that it gave itself."""
    client_secret: str = ""
    next_action: dict[str, Any] | None = None
    capture_before: datetime | None = None
    auth_code: str = ""
    receipt_url: str = ""
    failure: Failure | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefund:
    """A refund as the provider has it."""

    ref: str
    payment_ref: str
    status: RefundStatus
    """``PENDING`` also where the provider's word for it is not known."""
    amount: int
    currency: str
    account: str = ""
    refund_id: UUID | None = None
    failure_code: str = ""
    """Why it failed or, while it is on its way, why it hangs; empty if it goes on by itself."""
    request_id: str = ""
    moved_money: bool = True
    """False where a hold was let go: no money was taken, so none is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDispute:
    """A chargeback as the provider's event of ``as_of`` has it."""

    ref: str
    payment_ref: str
    amount: int
    currency: str
    status: str
    is_closed: bool
    as_of: datetime
    account: str = ""
    reason: str = ""
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """One line of the provider's ledger.

    What a charge, a refund or a dispute did to the account's balance.

    ``amount``, ``fee`` and ``net`` are in the balance's currency; ``moved`` is what the customer paid (or, negative,
    got back) in the currency of the payment. Both in minor units.
    """

    ref: str
    kind: LedgerKind
    category: str
    """The provider's own word for it."""
    payment_ref: str
    amount: int
    fee: int
    net: int
    currency: str
    moved: int
    moved_currency: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPayout:
    """Money that went from the provider to the operator's bank.

    ``is_itemized``: the provider can say what is in it.
    """

    ref: str
    amount: int
    currency: str
    status: str
    is_itemized: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOutcome:
    """What a provider says of a payment, for ``booking.outcomes.handle``.

    ``event_id`` is the evidence: the id of the stored, authenticated event. Without it "captured" is hearsay (P3).
    ``command`` is the command whose answer this is, if it is one.
    """

    provider: str
    payment: ProviderPayment | None = None
    refund: ProviderRefund | None = None
    dispute: ProviderDispute | None = None
    kind: Outcome = Outcome.UNKNOWN
    payment_id: UUID | None = None
    actor: str
    reason: str = ""
    event_id: UUID | None = None
    occurred_at: datetime | None = None
    """When it happened, by the provider's clock, in whole seconds. None: it tells how things stand now."""
    command: Command | None = None
    error: str = ""
    failure: Failure | None = None
    request_id: str = ""
    retry_after: float | None = None
    """Seconds that the provider asked us to wait, if it did."""
    is_silent: bool = False
    """The provider did not answer, or takes no calls."""
    not_taken: bool = False
    """The provider did not take the request: nothing came of it."""
    answer_saved: bool = False
    """The provider keeps this answer under the key, and it says nothing."""


ProviderObject = ProviderPayment | ProviderRefund | ProviderDispute
"""What an event may tell of."""


class Effect(StrEnum):
    """What handling an outcome did. None of these is an error."""

    APPLIED = "applied"
    ALREADY = "already"
    STALE = "stale"
    REFUNDING = "refunding"

"""One Stripe account: its objects, kept apart from every other account's, and its idempotency keys."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.sandbox.clock import Clock
from tools.sandbox.ids import IdSource
from tools.sandbox.stripe.errors import ResourceMissing
from tools.sandbox.stripe.idempotency import IdempotencyKeys
from tools.sandbox.stripe.objects import EventRecord, StripeObject


@dataclass(frozen=True)
class Caller:
    """The API request that is being executed; both None when the customer or the bank acts."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass
class Account:
    """An object space. `id` is None for the platform itself, else what the Stripe-Account header names."""

    id: str | None
    clock: Clock
    ids: IdSource
    publish: Callable[["Account", EventRecord], None]
    keys: IdempotencyKeys
    caller: Caller = Caller()
    payment_intents: dict[str, StripeObject] = field(default_factory=dict)
    payment_methods: dict[str, StripeObject] = field(default_factory=dict)
    charges: dict[str, StripeObject] = field(default_factory=dict)
    refunds: dict[str, StripeObject] = field(default_factory=dict)
    balance_transactions: dict[str, StripeObject] = field(default_factory=dict)
    disputes: dict[str, StripeObject] = field(default_factory=dict)
    payouts: dict[str, StripeObject] = field(default_factory=dict)
    payout_of: dict[str, str] = field(default_factory=dict)
    """The payout that took each balance transaction which has left the account."""
    events: dict[str, EventRecord] = field(default_factory=dict)
    card_of: dict[str, str] = field(default_factory=dict)
    """The test name (such as `pm_card_visa`) that each payment method was made from."""

    def timestamp(self) -> int:
        """Return the time in whole seconds."""
        return int(self.clock.now())

    def get_payment_intent(self, intent_id: str, *, param: str = "intent", http_status: int = 404) -> StripeObject:
        """Return a payment intent; raise ResourceMissing."""
        return _get(self.payment_intents, "payment_intent", intent_id, param, http_status)

    def get_charge(self, charge_id: str, *, param: str = "charge", http_status: int = 404) -> StripeObject:
        """Return a charge; raise ResourceMissing."""
        return _get(self.charges, "charge", charge_id, param, http_status)

    def get_refund(self, refund_id: str) -> StripeObject:
        """Return a refund; raise ResourceMissing."""
        return _get(self.refunds, "refund", refund_id, "refund", 404)

    def get_balance_transaction(self, transaction_id: str) -> StripeObject:
        """Return a balance transaction; raise ResourceMissing."""
        return _get(self.balance_transactions, "balance transaction", transaction_id, "id", 404)

    def get_dispute(self, dispute_id: str) -> StripeObject:
        """Return a dispute; raise ResourceMissing."""
        return _get(self.disputes, "dispute", dispute_id, "dispute", 404)

    def get_payout(self, payout_id: str) -> StripeObject:
        """Return a payout; raise ResourceMissing."""
        return _get(self.payouts, "payout", payout_id, "payout", 404)

    def get_event(self, event_id: str) -> EventRecord:
        """Return an event with what is known of its delivery; raise ResourceMissing."""
        if event_id not in self.events:
            raise ResourceMissing("event", event_id, param="id", http_status=404)
        return self.events[event_id]

    def find_object(self, object_id: str) -> StripeObject | None:
        """Return the object of any kind that has this id, None when there is none."""
        kinds = (
            self.payment_intents,
            self.charges,
            self.payment_methods,
            self.refunds,
            self.balance_transactions,
            self.disputes,
            self.payouts,
        )
        return next((kind[object_id] for kind in kinds if object_id in kind), None)


def _get(kind: dict[str, StripeObject], name: str, object_id: str, param: str, http_status: int) -> StripeObject:
    if object_id not in kind:
        raise ResourceMissing(name, object_id, param=param, http_status=http_status)
    return kind[object_id]

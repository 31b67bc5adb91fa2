"""What every provider can do, and parts that some have.

A provider is spoken to outside transactions only (P6). Some sign events that carry the object, others name an id to
look up; some count in decimals: amounts here are always minor units, and ``Notification`` says whether a look-up is
needed. What only some can do is a protocol of its own, and ``isinstance`` asks for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from payments.credentials import WebhookSecrets
from payments.outcome_types import (
    ProviderEntry,
    ProviderObject,
    ProviderPayment,
    ProviderPayout,
    ProviderRefund,
)
from payments.providers.capabilities import Capabilities, Limits
from payments.providers.notifications import DeliveredRequest, Notification, Unreadable


class Provider(Protocol):
    """A payment provider.

    ``key`` is the idempotency key; ``parameters`` were frozen when the command was stored.
    """

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    @property
    def is_live(self) -> bool:
        """Whether real money moves.

        An event of the other mode is evidence of nothing here.
        """

    @property
    def declining_method(self) -> str:
        """The payment method that a sandbox declines; empty without a sandbox."""

    def check_account(self, *, reference: str) -> None:
        """Refuse what can be no account's reference here.

        Raises:
            django.core.exceptions.ValidationError: With how a reference is written.
        """

    def webhook_secrets(self, *, account: str) -> WebhookSecrets | None:
        """Return what signs the deliveries to an account's endpoint (empty: the platform's).

        None: no operator has that account. A secret that proves nothing here is left out.
        """

    def limits(self, *, currency: str) -> Limits | None:
        """Return what can be charged in a currency; None: nothing."""

    def authorize(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Create the payment; hold or take the money.

        By its capture method, and only if a payment method is given.

        Raises:
            DeclinedError, RefusedError: It will not do it.
            OutcomeUnknownError, NotSentError, MissingError: Ask again with the same key.
        """

    def abandon(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment | None:
        """Ensure that an authorization of unknown outcome takes no money.

        Returns the payment that is to be canceled, or None if none was ever made and none can be made with this key.

        Raises:
            OutcomeUnknownError, NotSentError: Ask again with the same key.
        """

    def confirm(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Hold or take a created payment's money.

        With the payment method given. Raises as :meth:`authorize`.
        """

    def cancel(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Release the hold, or close the payment. Raises as :meth:`authorize`."""

    def refund(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderRefund:
        """Give captured money back. Raises as :meth:`authorize`."""

    def fetch(self, *, ref: str, account: str) -> ProviderPayment:
        """Read a payment.

        Raises:
            MissingError: Our key does not see it.
            OutcomeUnknownError, NotSentError: It cannot be asked now.
        """

    def list_refunds(self, *, ref: str, account: str) -> Iterator[ProviderRefund | Unreadable]:
        """Read every refund of a payment."""

    def list_payments(
        self, *, since: datetime, account: str, until: datetime | None = None
    ) -> Iterator[ProviderPayment | Unreadable]:
        """Read every payment created since then and before ``until``, newest first."""

    def attest(self, *, ref: str, account: str) -> Notification:
        """Read a payment in the shape of an event.

        Evidence for money whose event cannot be had; a person vouches for it. Raises as :meth:`fetch`.
        """

    def check_headers(self, *, headers: Mapping[str, str], now: datetime) -> None:
        """Refuse a delivery by its headers, before reading its body.

        Raises:
            InvalidSignatureError: The signature is missing, malformed or stale.
        """

    def authenticate(self, *, request: DeliveredRequest, secrets: Sequence[str], now: datetime) -> Notification:
        """Verify a notification, signed by any of ``secrets``.

        What is in it raises nothing.

        Raises:
            InvalidSignatureError: It is not authentic.
        """

    def read(self, *, notification: Notification) -> Sequence[ProviderObject]:
        """Return what a notification tells, in order; empty if not ours.

        All of one payment: a look-up may show its money and what was given back of it.

        Raises:
            UnreadableError: It is our business, and cannot be read.
        """


@runtime_checkable
class Holds(Protocol):
    """A provider that can hold money before it takes it."""

    def capture(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Take the held money. Raises as :meth:`authorize`."""


@runtime_checkable
class FindsByKey(Protocol):
    """A provider that tells which object a command made.

    Of one that cannot, its lists are read for our own ids.
    """

    def find(
        self, *, key: str, near: datetime, account: str, on_page: Callable[[], None] = lambda: None
    ) -> ProviderPayment | None:
        """Find the payment that a command made since ``near``.

        By the command's key, also if the provider has forgotten it.

        ``on_page`` is called before each call but the first. Raises as :meth:`fetch`; UnreadableError too where it is
        not found, and may be among what cannot be read.
        """

    def find_refund(self, *, ref: str, key: str, account: str) -> ProviderRefund | None:
        """Find the refund that a command made of a payment.

        By the command's key. Raises as :meth:`find`.
        """


@runtime_checkable
class LooksUp(Protocol):
    """A provider whose notifications only name an object.

    What is read of it is the evidence.
    """

    def look_up(self, *, ref: str, account: str) -> Notification:
        """Read an object as it is at this moment.

        ``ref`` is a ``lookup_ref`` or a payment's reference.

        The id of the event is of the state that is read: the same state is the same event. Raises as :meth:`fetch`.
        """


@runtime_checkable
class EventHistory(Protocol):
    """A provider that lists its events.

    So that one that was missed is had after all.
    """

    events_kept: ClassVar[timedelta]
    """How far back its events can be listed."""

    def list_events(
        self, *, since: datetime, until: datetime, undelivered: bool, account: str
    ) -> Iterator[Notification | Unreadable]:
        """Read our events of a time, newest first.

        With ``undelivered``, only those that no webhook has taken. What comes from the provider's API is authentic.
        Raises as :meth:`fetch`.
        """


@runtime_checkable
class Ledger(Protocol):
    """A provider whose books can be read."""

    def list_entries(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderEntry | Unreadable]:
        """Read the ledger's lines of a time, newest first.

        Raises as :meth:`fetch`.
        """


@runtime_checkable
class Payouts(Protocol):
    """A provider that tells what a payout is made of."""

    def list_payouts(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderPayout | Unreadable]:
        """Read the payouts made in that time, newest first. Raises as :meth:`fetch`."""

    def list_entries_of_payout(self, *, ref: str, account: str) -> Iterator[ProviderEntry | Unreadable]:
        """Read the ledger's lines that a payout is made of.

        Without the payout's own line. Raises as :meth:`fetch`.
        """

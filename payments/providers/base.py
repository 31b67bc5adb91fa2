"""What every provider must be able to do. A provider is spoken to outside transactions only (P6).

Shaped for providers as different as Stripe, whose signed events carry the object, and Mercado Pago, whose
notifications carry an id to look up, are signed over a manifest of query and headers, and count in decimals:
amounts here are always minor units, and :class:`Notification` says whether a look-up is needed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from common.errors import HoldfastError, SpokenError
from payments.credentials import WebhookSecrets
from payments.outcome_types import (
    Failure,
    ProviderEntry,
    ProviderNews,
    ProviderPayment,
    ProviderPayout,
    ProviderRefund,
)


class ProviderError(SpokenError):
    """A call did not bring an object."""

    def __init__(self, message: str, *, request_id: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id


class OutcomeUnknownError(ProviderError):
    """No answer, a 409, or a 5xx: it may have happened or not. The same key is to be sent again.

    ``answer_saved``: the provider keeps this answer under the key and repeats it for ever; its object must be read.
    """

    def __init__(self, message: str, *, answer_saved: bool = False, request_id: str = "") -> None:
        super().__init__(message, request_id=request_id)
        self.answer_saved = answer_saved


class NotSentError(ProviderError):
    """The provider did not take the request: nothing happened there.

    ``retry_after`` is in seconds, where it will take it later (rate limit): that costs the command no attempt. None
    where it may never (our key is refused): a person has to be told in the end.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, request_id: str = "") -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after


class MissingError(ProviderError):
    """Our key sees no such object: it may be of another account or mode. That says nothing of what became of it."""


class RefusedError(ProviderError):
    """The provider will not do it. What that means, its object says.

    ``payment`` is the object after it, where the answer carried one; ``field`` is the field of ours that is refused,
    where one is: ``amount``, ``currency`` or ``payment_method``.
    """

    def __init__(
        self, *, failure: Failure, payment: ProviderPayment | None = None, request_id: str = "", field: str = ""
    ) -> None:
        super().__init__(f"{failure.code}: {failure.message}", request_id=request_id)
        self.failure = failure
        self.payment = payment
        self.field = field


class DeclinedError(RefusedError):
    """The customer's bank or the provider's risk check said no to the card."""


class HoldEndedError(RefusedError):
    """The bank holds the money no longer, whatever the object still says."""


class UnreadableError(ProviderError):
    """What the provider sent is not of the form that it documents. Names fields, and tells nothing of their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What stands in a list in the place of an object, or of all the rest, that cannot be read.

    ``ref`` is the provider's id of the object; empty if that cannot be told.
    """

    error: UnreadableError
    ref: str = ""


class KeyUsedError(ProviderError):
    """The provider has seen this idempotency key with other parameters."""


class InvalidSignatureError(HoldfastError):
    """A notification is not authentic: no, wrong, malformed or stale signature."""

    code = "invalid_signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """An authenticated notification. ``problem`` says why it cannot be read; then the rest is what could be.

    ``lookup_ref`` names the object to ask the provider for when the notification does not carry it; the answer,
    which :meth:`Provider.look_up` adds to the payload, is then the evidence.
    """

    event_id: str
    type: str
    account: str
    live: bool | None
    created_at: datetime | None
    api_version: str
    payload: Mapping[str, Any]
    object_ref: str = ""
    lookup_ref: str = ""
    key_name: str = ""
    """The name of the key that it was read with, if it was read from the provider's API rather than delivered."""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredRequest:
    """An HTTP request to a webhook, as it came over the wire."""

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]


class Provider(Protocol):
    """A payment provider. ``key`` is the idempotency key; ``parameters`` were frozen when the command was stored."""

    name: ClassVar[str]

    @property
    def is_live(self) -> bool:
        """Whether real money moves; an event of the other mode is evidence of nothing here."""

    @property
    def declining_method(self) -> str:
        """The payment method that a sandbox always declines; empty where no sandbox is called."""

    def check_account(self, *, reference: str) -> None:
        """Refuse what can be no account's reference here.

        Raises:
            django.core.exceptions.ValidationError: With how a reference is written.
        """

    def webhook_secrets(self, *, account: str) -> WebhookSecrets | None:
        """Return what signs the deliveries to an account's endpoint (empty: the platform's).

        None: no operator has that account. A secret that proves nothing here is left out.
        """

    def check_amount(self, *, amount: int, currency: str, param: str = "amount") -> None:
        """Refuse an amount (minor units) that could not be charged, before anything is stored.

        ``param`` is the field of the request that the amount comes from.

        Raises:
            ValidationError: ``invalid_currency`` or ``invalid_amount``, with what is wrong.
        """

    def authorize(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Create the payment, and hold (or, by its capture method, take) the money if a payment method is given.

        Raises:
            DeclinedError, RefusedError: It will not do it.
            OutcomeUnknownError, NotSentError, MissingError: Ask again with the same key.
        """

    def abandon(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment | None:
        """Make sure that an authorization of unknown outcome can take no money any more.

        Returns the payment that is to be canceled, or None if none was ever made and none can be made with this key.

        Raises:
            OutcomeUnknownError, NotSentError: Ask again with the same key.
        """

    def confirm(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Hold or take the money of a created payment, with the payment method given. Raises as :meth:`authorize`."""

    def capture(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Take the held money. Raises as :meth:`authorize`."""

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

    def find(
        self, *, key: str, near: datetime, account: str, on_page: Callable[[], None] = lambda: None
    ) -> ProviderPayment | None:
        """Find the payment that the command with this key has made since ``near``, also if the key is forgotten.

        ``on_page`` is called before each call but the first. Raises as :meth:`fetch`; UnreadableError too where it is
        not found, and may be among what cannot be read.
        """

    def find_refund(self, *, ref: str, key: str, account: str) -> ProviderRefund | None:
        """Find the refund of a payment that the command with this key made. Raises as :meth:`find`."""

    def list_refunds(self, *, ref: str, account: str) -> Iterator[ProviderRefund | Unreadable]:
        """Read every refund of a payment."""

    def list_payments(
        self, *, since: datetime, account: str, until: datetime | None = None
    ) -> Iterator[ProviderPayment | Unreadable]:
        """Read every payment created since then and before ``until``, newest first."""

    def list_events(
        self, *, since: datetime, until: datetime, undelivered: bool, account: str
    ) -> Iterator[Notification | Unreadable]:
        """Read the events that are our business and happened in that time, newest first.

        With ``undelivered``, only those that no webhook has taken. What comes from the provider's API is authentic.
        Raises as :meth:`fetch`.
        """

    def attest(self, *, ref: str, account: str) -> Notification:
        """Read a payment as it is at this moment, in the shape of the event that would tell of it.

        Evidence for money whose event cannot be had; a person vouches for it. Raises as :meth:`fetch`.
        """

    def list_entries(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderEntry | Unreadable]:
        """Read the lines of the provider's books of that time, newest first. Raises as :meth:`fetch`."""

    def list_payouts(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderPayout | Unreadable]:
        """Read the payouts made in that time, newest first. Raises as :meth:`fetch`."""

    def list_entries_of_payout(self, *, ref: str, account: str) -> Iterator[ProviderEntry | Unreadable]:
        """Read the lines of the books that a payout is made of, without its own. Raises as :meth:`fetch`."""

    def check_headers(self, *, headers: Mapping[str, str], now: datetime) -> None:
        """Refuse a delivery that cannot be authentic, by its headers alone: before its body is read.

        Raises:
            InvalidSignatureError: The signature is missing, malformed or stale.
        """

    def authenticate(self, *, request: DeliveredRequest, secrets: Sequence[str], now: datetime) -> Notification:
        """Verify a notification; any one of ``secrets`` may have signed it. What is in it raises nothing.

        Raises:
            InvalidSignatureError: It is not authentic.
        """

    def look_up(self, *, notification: Notification) -> Notification:
        """Add the object that ``lookup_ref`` names to the payload. Only called where there is one, and outside
        transactions. Raises as :meth:`fetch`.
        """

    def read(self, *, notification: Notification) -> ProviderNews | None:
        """Say what a notification (after its look-up) tells, or None if it is none of our business.

        Raises:
            UnreadableError: It is our business, and cannot be read.
        """

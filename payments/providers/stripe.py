"""Stripe through its official SDK; the only module that imports it.

One client for each process, with time-outs and retries of our own: the SDK would wait 80 seconds and, on its own
retries, count no attempt. https://docs.stripe.com/api/idempotent_requests
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar, Self

import stripe
from django.conf import settings

from payments.outcomes import (
    ProviderEntry,
    ProviderNews,
    ProviderPayment,
    ProviderPayout,
    ProviderRefund,
)
from payments.providers import (
    own_keys,
    stripe_events,
    stripe_fields,
    stripe_money,
    stripe_objects,
    stripe_params,
    stripe_signature,
)
from payments.providers.base import (
    DeclinedError,
    DeliveredRequest,
    HoldEndedError,
    KeyUsedError,
    MissingError,
    Notification,
    NotSentError,
    OutcomeUnknownError,
    ProviderError,
    RefusedError,
    UnreadableError,
)

_REFUND_REASONS = frozenset(("duplicate", "fraudulent", "requested_by_customer"))
_NOT_SEEN = frozenset(("resource_missing", "livemode_mismatch", "account_invalid"))
"""The object belongs to another account or mode than the key; what became of it is not said."""
_HOLD_ENDED = frozenset(("charge_expired_for_capture", "capture_charge_authorization_expired"))
_FIELDS = ("amount", "currency", "payment_method")


class StripeProvider:
    """Payment intents, manual or automatic capture. https://docs.stripe.com/payments/place-a-hold-on-a-payment-method"""

    name: ClassVar[str] = "stripe"

    def __init__(self, *, client: stripe.StripeClient, tolerance_seconds: int) -> None:
        self._client = client.v1
        self._tolerance = timedelta(seconds=tolerance_seconds)

    @classmethod
    def from_settings(cls) -> Self:
        """Make the provider of this installation."""
        timeouts = (float(settings.STRIPE_CONNECT_TIMEOUT_SECONDS), float(settings.STRIPE_READ_TIMEOUT_SECONDS))
        addresses: Any = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {}
        client = stripe.StripeClient(
            settings.STRIPE_API_KEY,
            base_addresses=addresses,
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=timeouts),
        )
        return cls(client=client, tolerance_seconds=settings.WEBHOOK_TOLERANCE_SECONDS)

    @property
    def is_live(self) -> bool:
        """See :attr:`Provider.is_live`."""
        return bool(settings.STRIPE_LIVE_MODE)

    def check_amount(self, *, amount: int, currency: str, param: str = "amount") -> None:
        """See :meth:`Provider.check_amount`."""
        stripe_money.check(amount=amount, currency=currency, param=param)

    def authorize(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.authorize`. Without a payment method, the frontend finishes with the client secret."""
        params = stripe_params.intent(parameters, key)
        if parameters.get("payment_method_id"):
            params |= {"payment_method": parameters["payment_method_id"], "confirm": True}
        with _translated(account):
            return _answered(self._client.payment_intents.create(params, stripe_params.options(account, key)), account)

    def abandon(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment | None:
        """See :meth:`Provider.abandon`.

        The key is claimed with a request that confirms nothing. Either Stripe never saw the key: then this harmless
        intent has taken it, and the original can no longer come into effect, however late it arrives. Or Stripe did
        see it and says so: then the original is asked for again and its saved answer comes back.
        """
        if not parameters.get("payment_method_id"):
            return self.authorize(parameters=parameters, key=key, account=account)
        params = stripe_params.intent(parameters, key)
        try:
            with _translated(account):
                return _answered(
                    self._client.payment_intents.create(params, stripe_params.options(account, key)), account
                )
        except KeyUsedError:
            pass
        try:
            return self.authorize(parameters=parameters, key=key, account=account)
        except RefusedError as error:
            return error.payment

    def confirm(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.confirm`."""
        params: Any = {"payment_method": parameters["payment_method_id"], "expand": ["latest_charge"]}
        with _translated(account):
            return _answered(
                self._client.payment_intents.confirm(ref, params, stripe_params.options(account, key)), account
            )

    def capture(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.capture`."""
        params: Any = {"amount_to_capture": stripe_params.amount(parameters), "expand": ["latest_charge"]}
        with _translated(account):
            return _answered(
                self._client.payment_intents.capture(ref, params, stripe_params.options(account, key)), account
            )

    def cancel(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.cancel`."""
        params: Any = {"cancellation_reason": "abandoned", "expand": ["latest_charge"]}
        with _translated(account):
            return _answered(
                self._client.payment_intents.cancel(ref, params, stripe_params.options(account, key)), account
            )

    def refund(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderRefund:
        """See :meth:`Provider.refund`."""
        metadata = {stripe_objects.REFUND_KEY: parameters["refund_id"], stripe_objects.COMMAND_KEY: key}
        params: Any = {"payment_intent": ref, "amount": stripe_params.amount(parameters), "metadata": metadata}
        if parameters.get("reason") in _REFUND_REASONS:
            params["reason"] = parameters["reason"]
        with _translated(account):
            return stripe_objects.refund(
                stripe_fields.plain(self._client.refunds.create(params, stripe_params.options(account, key))), account
            )

    def fetch(self, *, ref: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.fetch`."""
        with _translated(account):
            found = self._client.payment_intents.retrieve(
                ref, {"expand": ["latest_charge"]}, stripe_params.options(account)
            )
            return _answered(found, account)

    def find(self, *, key: str, near: datetime, account: str) -> ProviderPayment | None:
        """See :meth:`Provider.find`. Lists by time: Stripe's search is only eventually consistent."""
        window: Any = {"gte": int((near - timedelta(minutes=5)).timestamp()), "lte": int(near.timestamp()) + 86_400}
        for intent in self._list(created=window, account=account):
            if stripe_fields.find_fields(intent, "metadata").get(stripe_objects.COMMAND_KEY) == key:
                return stripe_objects.payment(intent, account)
        return None

    def find_refund(self, *, ref: str, key: str, account: str) -> ProviderRefund | None:
        """See :meth:`Provider.find_refund`."""
        for refund in _read(self._client.refunds, {"payment_intent": ref}, account):
            if stripe_fields.find_fields(refund, "metadata").get(stripe_objects.COMMAND_KEY) == key:
                return stripe_objects.refund(refund, account)
        return None

    def list_refunds(self, *, ref: str, account: str) -> Iterator[ProviderRefund]:
        """See :meth:`Provider.list_refunds`."""
        refunds = _read(self._client.refunds, {"payment_intent": ref}, account)
        yield from stripe_fields.readable(refunds, lambda refund: stripe_objects.refund(refund, account))

    def list_payments(
        self, *, since: datetime, account: str, until: datetime | None = None
    ) -> Iterator[ProviderPayment]:
        """See :meth:`Provider.list_payments`."""
        intents = self._list(created=stripe_params.window(since, until), account=account)
        yield from stripe_fields.readable(intents, lambda intent: stripe_objects.payment(intent, account))

    def list_events(
        self, *, since: datetime, until: datetime, undelivered: bool, account: str
    ) -> Iterator[Notification]:
        """See :meth:`Provider.list_events`. Stripe keeps them for 30 days. https://docs.stripe.com/api/events/list"""
        params: dict[str, Any] = {"created": stripe_params.window(since, until), "types": list(stripe_events.KINDS)}
        key_name = own_keys.key_name(account)
        for event in _read(self._client.events, params | ({"delivery_success": False} if undelivered else {}), account):
            yield stripe_events.from_list(event, account=account, key_name=key_name)

    def attest(self, *, ref: str, account: str) -> Notification:
        """See :meth:`Provider.attest`."""
        key_name = own_keys.key_name(account)
        with _translated(account):
            found = stripe_fields.plain(self._client.payment_intents.retrieve(ref, {}, stripe_params.options(account)))
            return stripe_events.attested(found, account=account, key_name=key_name, at=datetime.now(UTC))

    def list_entries(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderEntry]:
        """See :meth:`Provider.list_entries`. https://docs.stripe.com/api/balance_transactions/list"""
        yield from self._entries({"created": stripe_params.window(since, until)}, account)

    def list_payouts(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderPayout]:
        """See :meth:`Provider.list_payouts`."""
        for payout in _read(self._client.payouts, {"created": stripe_params.window(since, until)}, account):
            yield stripe_objects.payout(payout)

    def list_entries_of_payout(self, *, ref: str, account: str) -> Iterator[ProviderEntry]:
        """See :meth:`Provider.list_entries_of_payout`. https://docs.stripe.com/payouts/reconciliation"""
        return (entry for entry in self._entries({"payout": ref}, account) if not entry.kind.startswith("payout"))

    def check_headers(self, *, headers: Mapping[str, str], now: datetime) -> None:
        """See :meth:`Provider.check_headers`."""
        stripe_signature.check_headers(headers=headers, now=now, tolerance=self._tolerance)

    def authenticate(self, *, request: DeliveredRequest, secrets: Sequence[str], now: datetime) -> Notification:
        """See :meth:`Provider.authenticate`."""
        stripe_signature.verify(request=request, secrets=secrets, now=now, tolerance=self._tolerance)
        return stripe_events.from_body(request.body)

    def look_up(self, *, notification: Notification) -> Notification:
        """See :meth:`Provider.look_up`. Stripe's events carry their object."""
        return notification

    def read(self, *, notification: Notification) -> ProviderNews | None:
        """See :meth:`Provider.read`. The event carries the object as it was then; nothing need be looked up."""
        return stripe_events.read(notification)

    def _list(self, *, created: Any, account: str) -> Iterator[Any]:
        return _read(self._client.payment_intents, {"created": created, "expand": ["data.latest_charge"]}, account)

    def _entries(self, params: dict[str, Any], account: str) -> Iterator[ProviderEntry]:
        read = _read(self._client.balance_transactions, {**params, "expand": ["data.source"]}, account)
        return map(stripe_objects.entry, read)


def _read(service: Any, params: dict[str, Any], account: str) -> Iterator[Any]:
    """Read a list of Stripe's to its end, page by page, as it is asked for."""
    with _translated(account):
        page = service.list({**params, "limit": 100}, stripe_params.options(account))
        for row in page.auto_paging_iter():
            yield stripe_fields.plain(row)


@contextmanager
def _translated(account: str) -> Iterator[None]:
    """Say in our terms what the SDK raises. https://docs.stripe.com/error-low-level"""
    try:
        yield
    except stripe.CardError as error:
        raise DeclinedError(**_refusal(error, account)) from error
    except stripe.IdempotencyError as error:
        raise KeyUsedError(str(error), request_id=error.request_id or "") from error
    except stripe.RateLimitError as error:
        wait = (error.headers or {}).get("Retry-After")
        seconds = float(wait) if wait and wait.isdigit() else 1.0
        raise NotSentError("rate limited", retry_after=seconds, request_id=error.request_id or "") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise NotSentError(f"our API key was refused: {error.code}", request_id=error.request_id or "") from error
    except stripe.InvalidRequestError as error:
        raise _refused(error, account) from error
    except stripe.StripeError as error:
        what = f"HTTP {error.http_status}" if error.http_status else "no answer"
        raise OutcomeUnknownError(
            f"{what} ({type(error).__name__})",
            answer_saved=(error.http_status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR,
            request_id=error.request_id or "",
        ) from error
    except UnreadableError as error:
        raise OutcomeUnknownError(f"the answer cannot be read: {error}") from error


def _refused(error: stripe.InvalidRequestError, account: str) -> ProviderError:
    """Tell a refusal from an object that this key does not see, which says nothing. https://docs.stripe.com/error-codes"""
    is_missing = error.http_status == HTTPStatus.NOT_FOUND or error.code in _NOT_SEEN
    if is_missing and error.param != "payment_method":
        return MissingError(f"{error.code or 'not found'}: {error.user_message}", request_id=error.request_id or "")
    refusal = _refusal(error, account)
    if error.code in _HOLD_ENDED:
        return HoldEndedError(**refusal)
    return RefusedError(**refusal, field=error.param if error.param in _FIELDS else "")


def _refusal(error: stripe.StripeError, account: str) -> dict[str, Any]:
    intent = getattr(error.error, "payment_intent", None)
    try:
        payment = stripe_objects.payment(stripe_fields.plain(intent), account) if intent else None
    except UnreadableError:
        payment = None
    return {
        "failure": stripe_objects.failure_of({"code": error.code, "message": error.user_message}),
        "payment": payment,
        "request_id": error.request_id or "",
    }


def _answered(intent: stripe.PaymentIntent, account: str) -> ProviderPayment:
    request_id = getattr(intent.last_response, "request_id", None) or ""
    return replace(stripe_objects.payment(stripe_fields.plain(intent), account), request_id=request_id)

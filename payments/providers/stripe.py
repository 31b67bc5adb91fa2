"""Stripe through its official SDK, which only this module and ``stripe_errors`` import.

One client for each process, with time-outs and retries of our own: the SDK would wait 80 seconds and, on its own
retries, count no attempt. https://docs.stripe.com/api/idempotent_requests
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Self

import stripe
from django.conf import settings

from common import secrets
from payments.outcome_types import (
    ProviderEntry,
    ProviderNews,
    ProviderPayment,
    ProviderPayout,
    ProviderRefund,
)
from payments.providers import (
    own_keys,
    stripe_errors,
    stripe_events,
    stripe_fields,
    stripe_lists,
    stripe_money,
    stripe_objects,
    stripe_params,
    stripe_signature,
)
from payments.providers.base import DeliveredRequest, KeyUsedError, Notification, RefusedError, Unreadable

_LAG = timedelta(minutes=5)
"""How far Stripe's clock may be behind ours."""
_REFUND_REASONS = frozenset(("duplicate", "fraudulent", "requested_by_customer"))


class StripeProvider:
    """Payment intents, manual or automatic capture. https://docs.stripe.com/payments/place-a-hold-on-a-payment-method"""

    name: ClassVar[str] = "stripe"

    def __init__(self, *, client: stripe.StripeClient, tolerance_seconds: int) -> None:
        self._client = client.v1
        self._ask: stripe_lists.Ask = client.raw_request
        self._tolerance = timedelta(seconds=tolerance_seconds)

    @classmethod
    def from_settings(cls) -> Self:
        """Make the provider of this installation."""
        timeouts = (float(settings.STRIPE_CONNECT_TIMEOUT_SECONDS), float(settings.STRIPE_READ_TIMEOUT_SECONDS))
        addresses: Any = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {}
        client = stripe.StripeClient(
            secrets.current("STRIPE_API_KEY"),
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
        with stripe_errors.translated(account):
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
            with stripe_errors.translated(account):
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
        with stripe_errors.translated(account):
            return _answered(
                self._client.payment_intents.confirm(ref, params, stripe_params.options(account, key)), account
            )

    def capture(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.capture`."""
        params: Any = {"amount_to_capture": stripe_params.amount(parameters), "expand": ["latest_charge"]}
        with stripe_errors.translated(account):
            return _answered(
                self._client.payment_intents.capture(ref, params, stripe_params.options(account, key)), account
            )

    def cancel(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.cancel`."""
        params: Any = {"cancellation_reason": "abandoned", "expand": ["latest_charge"]}
        with stripe_errors.translated(account):
            return _answered(
                self._client.payment_intents.cancel(ref, params, stripe_params.options(account, key)), account
            )

    def refund(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderRefund:
        """See :meth:`Provider.refund`."""
        metadata = {stripe_objects.REFUND_KEY: parameters["refund_id"], stripe_objects.COMMAND_KEY: key}
        params: Any = {"payment_intent": ref, "amount": stripe_params.amount(parameters), "metadata": metadata}
        if parameters.get("reason") in _REFUND_REASONS:
            params["reason"] = parameters["reason"]
        with stripe_errors.translated(account):
            return stripe_objects.refund(
                stripe_fields.plain(self._client.refunds.create(params, stripe_params.options(account, key))), account
            )

    def fetch(self, *, ref: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.fetch`."""
        with stripe_errors.translated(account):
            found = self._client.payment_intents.retrieve(
                ref, {"expand": ["latest_charge"]}, stripe_params.options(account)
            )
            return _answered(found, account)

    def find(
        self, *, key: str, near: datetime, account: str, on_page: Callable[[], None] = lambda: None
    ) -> ProviderPayment | None:
        """See :meth:`Provider.find`. Lists from then to now: the command may have been sent at any time since.

        Stripe's search would be one call, but is up to an hour behind, and not to be had in every country.
        https://docs.stripe.com/search
        """
        created = {"gte": int((near - _LAG).timestamp())}
        found = stripe_lists.find(self._list(created=created, account=account, on_page=on_page), key=key)
        return stripe_objects.payment(found, account) if found is not None else None

    def find_refund(self, *, ref: str, key: str, account: str) -> ProviderRefund | None:
        """See :meth:`Provider.find_refund`."""
        found = stripe_lists.find(self._refunds(ref, account), key=key)
        return stripe_objects.refund(found, account) if found is not None else None

    def list_refunds(self, *, ref: str, account: str) -> Iterator[ProviderRefund | Unreadable]:
        """See :meth:`Provider.list_refunds`."""
        read = partial(stripe_objects.refund, account=account)
        return stripe_fields.readable(self._refunds(ref, account), read)

    def list_payments(
        self, *, since: datetime, account: str, until: datetime | None = None
    ) -> Iterator[ProviderPayment | Unreadable]:
        """See :meth:`Provider.list_payments`."""
        intents = self._list(created=stripe_params.window(since, until), account=account)
        return stripe_fields.readable(intents, partial(stripe_objects.payment, account=account))

    def list_events(
        self, *, since: datetime, until: datetime, undelivered: bool, account: str
    ) -> Iterator[Notification | Unreadable]:
        """See :meth:`Provider.list_events`. Stripe keeps them for 30 days. https://docs.stripe.com/api/events/list"""
        params: dict[str, Any] = {"created": stripe_params.window(since, until), "types": list(stripe_events.KINDS)}
        key_name = own_keys.key_name(account)
        params |= {"delivery_success": False} if undelivered else {}
        for event in stripe_lists.read(self._ask, "/v1/events", params, account):
            if isinstance(event, Unreadable):
                yield event
            else:  # it is kept whatever is in it
                yield stripe_events.from_list(event, account=account, key_name=key_name)

    def attest(self, *, ref: str, account: str) -> Notification:
        """See :meth:`Provider.attest`."""
        key_name = own_keys.key_name(account)
        with stripe_errors.translated(account):
            found = stripe_fields.plain(self._client.payment_intents.retrieve(ref, {}, stripe_params.options(account)))
            return stripe_events.attested(found, account=account, key_name=key_name, at=datetime.now(UTC))

    def list_entries(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderEntry | Unreadable]:
        """See :meth:`Provider.list_entries`. https://docs.stripe.com/api/balance_transactions/list"""
        return self._entries({"created": stripe_params.window(since, until)}, account)

    def list_payouts(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderPayout | Unreadable]:
        """See :meth:`Provider.list_payouts`."""
        created = stripe_params.window(since, until)
        return stripe_fields.readable(
            stripe_lists.read(self._ask, "/v1/payouts", {"created": created}, account), stripe_objects.payout
        )

    def list_entries_of_payout(self, *, ref: str, account: str) -> Iterator[ProviderEntry | Unreadable]:
        """See :meth:`Provider.list_entries_of_payout`. https://docs.stripe.com/payouts/reconciliation"""
        entries = self._entries({"payout": ref}, account)
        return (entry for entry in entries if isinstance(entry, Unreadable) or not entry.kind.startswith("payout"))

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

    def _list(self, *, created: Any, account: str, on_page: Callable[[], None] = lambda: None) -> Iterator[Any]:
        params = {"created": created, "expand": ["data.latest_charge"]}
        return stripe_lists.read(self._ask, "/v1/payment_intents", params, account, on_page=on_page)

    def _refunds(self, ref: str, account: str) -> Iterator[Any]:
        return stripe_lists.read(self._ask, "/v1/refunds", {"payment_intent": ref}, account)

    def _entries(self, params: dict[str, Any], account: str) -> Iterator[ProviderEntry | Unreadable]:
        params = {**params, "expand": ["data.source"]}
        lines = stripe_lists.read(self._ask, "/v1/balance_transactions", params, account)
        return stripe_fields.readable(lines, stripe_objects.entry)


def _answered(intent: stripe.PaymentIntent, account: str) -> ProviderPayment:
    request_id = getattr(intent.last_response, "request_id", None) or ""
    return replace(stripe_objects.payment(stripe_fields.plain(intent), account), request_id=request_id)

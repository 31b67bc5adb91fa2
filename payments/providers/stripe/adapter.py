"""Stripe through its official SDK, which only this module and ``errors`` import.

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
from payments.credentials import WebhookSecrets
from payments.outcome_types import (
    ProviderEntry,
    ProviderObject,
    ProviderPayment,
    ProviderPayout,
    ProviderRefund,
)
from payments.providers.base import Provider
from payments.providers.capabilities import Capabilities, Limits, Method
from payments.providers.errors import KeyUsedError, RefusedError
from payments.providers.notifications import DeliveredRequest, Notification, Unreadable
from payments.providers.stripe import access, errors, events, fields, lists, money, objects, params, signature
from payments.providers.stripe import settings as stripe_settings
from payments.states import LedgerKind

_LAG = timedelta(minutes=5)
"""How far Stripe's clock may be behind ours."""
CAPABILITIES = Capabilities(
    methods=(Method(name="card", hold=timedelta(days=7)),),
    key_lifetime=timedelta(hours=23),
    partial_capture=True,
    needs_payer=False,
)
"""Keys are forgotten after 24 hours; the holds that we ask for end after seven days. https://docs.stripe.com/api/idempotent_requests"""
_REFUND_REASONS = frozenset(("duplicate", "fraudulent", "requested_by_customer"))


class StripeProvider:
    """Payment intents, manual or automatic capture. https://docs.stripe.com/payments/place-a-hold-on-a-payment-method"""

    name: ClassVar[str] = stripe_settings.NAME
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    events_kept: ClassVar[timedelta] = timedelta(days=30)
    """https://docs.stripe.com/api/events"""

    def __init__(self, *, client: stripe.StripeClient, tolerance_seconds: int) -> None:
        self._client = client.v1
        self._ask: lists.Ask = client.raw_request
        self._tolerance = timedelta(seconds=tolerance_seconds)

    @classmethod
    def from_settings(cls) -> Self:
        """Make the provider of this installation."""
        chosen = stripe_settings.current()
        timeouts = (float(chosen.connect_timeout_seconds), float(chosen.read_timeout_seconds))
        addresses: Any = {"api": chosen.api_base} if chosen.api_base else {}
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
        return stripe_settings.current().is_live

    @property
    def declining_method(self) -> str:
        """See :attr:`Provider.declining_method`. https://docs.stripe.com/testing#declined-payments"""
        return "pm_card_chargeDeclined" if stripe_settings.current().is_sandbox else ""

    def check_account(self, *, reference: str) -> None:
        """See :meth:`Provider.check_account`."""
        access.check_account(reference)

    def webhook_secrets(self, *, account: str) -> WebhookSecrets | None:
        """See :meth:`Provider.webhook_secrets`."""
        return access.webhook_secrets(account)

    def limits(self, *, currency: str) -> Limits | None:
        """See :meth:`Provider.limits`."""
        return money.limits(currency)

    def authorize(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.authorize`.

        Without a payment method, the frontend finishes with the client secret.
        """
        sent = params.intent(parameters, key)
        if parameters.get("payment_method_id"):
            sent |= {"payment_method": parameters["payment_method_id"], "confirm": True}
        with errors.translated(account):
            return _answered(self._client.payment_intents.create(sent, params.options(account, key)), account)

    def abandon(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment | None:
        """See :meth:`Provider.abandon`.

        The key is claimed with a request that confirms nothing. Either Stripe never saw the key: then this harmless
        intent has taken it, and the original can no longer come into effect, however late it arrives. Or Stripe did
        see it and says so: then the original is asked for again and its saved answer comes back.
        """
        if not parameters.get("payment_method_id"):
            return self.authorize(parameters=parameters, key=key, account=account)
        sent = params.intent(parameters, key)
        try:
            with errors.translated(account):
                return _answered(self._client.payment_intents.create(sent, params.options(account, key)), account)
        except KeyUsedError:
            pass
        try:
            return self.authorize(parameters=parameters, key=key, account=account)
        except RefusedError as error:
            return error.payment

    def confirm(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.confirm`."""
        sent: Any = {"payment_method": parameters["payment_method_id"], "expand": ["latest_charge"]}
        with errors.translated(account):
            return _answered(self._client.payment_intents.confirm(ref, sent, params.options(account, key)), account)

    def capture(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.capture`."""
        sent: Any = {"amount_to_capture": params.amount(parameters), "expand": ["latest_charge"]}
        with errors.translated(account):
            return _answered(self._client.payment_intents.capture(ref, sent, params.options(account, key)), account)

    def cancel(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.cancel`."""
        sent: Any = {"cancellation_reason": "abandoned", "expand": ["latest_charge"]}
        with errors.translated(account):
            return _answered(self._client.payment_intents.cancel(ref, sent, params.options(account, key)), account)

    def refund(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderRefund:
        """See :meth:`Provider.refund`."""
        metadata = {objects.REFUND_KEY: parameters["refund_id"], objects.COMMAND_KEY: key}
        sent: Any = {"payment_intent": ref, "amount": params.amount(parameters), "metadata": metadata}
        if parameters.get("reason") in _REFUND_REASONS:
            sent["reason"] = parameters["reason"]
        with errors.translated(account):
            return objects.refund(
                fields.plain(self._client.refunds.create(sent, params.options(account, key))), account
            )

    def fetch(self, *, ref: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.fetch`."""
        with errors.translated(account):
            found = self._client.payment_intents.retrieve(ref, {"expand": ["latest_charge"]}, params.options(account))
            return _answered(found, account)

    def find(
        self, *, key: str, near: datetime, account: str, on_page: Callable[[], None] = lambda: None
    ) -> ProviderPayment | None:
        """See :meth:`FindsByKey.find`.

        Lists from then to now: the command may have been sent at any time since.

        Stripe's search would be one call, but is up to an hour behind, and not to be had in every country.
        https://docs.stripe.com/search
        """
        created = {"gte": int((near - _LAG).timestamp())}
        found = lists.find(self._list(created=created, account=account, on_page=on_page), key=key)
        return objects.payment(found, account) if found is not None else None

    def find_refund(self, *, ref: str, key: str, account: str) -> ProviderRefund | None:
        """See :meth:`Provider.find_refund`."""
        found = lists.find(self._refunds(ref, account), key=key)
        return objects.refund(found, account) if found is not None else None

    def list_refunds(self, *, ref: str, account: str) -> Iterator[ProviderRefund | Unreadable]:
        """See :meth:`Provider.list_refunds`."""
        read = partial(objects.refund, account=account)
        return fields.readable(self._refunds(ref, account), read)

    def list_payments(
        self, *, since: datetime, account: str, until: datetime | None = None
    ) -> Iterator[ProviderPayment | Unreadable]:
        """See :meth:`Provider.list_payments`."""
        intents = self._list(created=params.window(since, until), account=account)
        return fields.readable(intents, partial(objects.payment, account=account))

    def list_events(
        self, *, since: datetime, until: datetime, undelivered: bool, account: str
    ) -> Iterator[Notification | Unreadable]:
        """See :meth:`Provider.list_events`. Stripe keeps them for 30 days. https://docs.stripe.com/api/events/list"""
        sent: dict[str, Any] = {"created": params.window(since, until), "types": list(events.KINDS)}
        key_name = access.key_name(account)
        sent |= {"delivery_success": False} if undelivered else {}
        for event in lists.read(self._ask, "/v1/events", sent, account):
            if isinstance(event, Unreadable):
                yield event
            else:  # it is kept whatever is in it
                yield events.from_list(event, account=account, key_name=key_name)

    def attest(self, *, ref: str, account: str) -> Notification:
        """See :meth:`Provider.attest`."""
        key_name = access.key_name(account)
        with errors.translated(account):
            found = fields.plain(self._client.payment_intents.retrieve(ref, {}, params.options(account)))
            return events.attested(found, account=account, key_name=key_name, at=datetime.now(UTC))

    def list_entries(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderEntry | Unreadable]:
        """See :meth:`Provider.list_entries`. https://docs.stripe.com/api/balance_transactions/list"""
        return self._entries({"created": params.window(since, until)}, account)

    def list_payouts(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderPayout | Unreadable]:
        """See :meth:`Provider.list_payouts`."""
        created = params.window(since, until)
        return fields.readable(lists.read(self._ask, "/v1/payouts", {"created": created}, account), objects.payout)

    def list_entries_of_payout(self, *, ref: str, account: str) -> Iterator[ProviderEntry | Unreadable]:
        """See :meth:`Provider.list_entries_of_payout`. https://docs.stripe.com/payouts/reconciliation"""
        entries = self._entries({"payout": ref}, account)
        return (entry for entry in entries if isinstance(entry, Unreadable) or entry.kind is not LedgerKind.PAYOUT)

    def check_headers(self, *, headers: Mapping[str, str], now: datetime) -> None:
        """See :meth:`Provider.check_headers`."""
        signature.check_headers(headers=headers, now=now, tolerance=self._tolerance)

    def authenticate(self, *, request: DeliveredRequest, secrets: Sequence[str], now: datetime) -> Notification:
        """See :meth:`Provider.authenticate`."""
        signature.verify(request=request, secrets=secrets, now=now, tolerance=self._tolerance)
        return events.from_body(request.body)

    def read(self, *, notification: Notification) -> Sequence[ProviderObject]:
        """See :meth:`Provider.read`.

        The event carries the object as it was then; nothing need be looked up.
        """
        return events.read(notification)

    def _list(self, *, created: Any, account: str, on_page: Callable[[], None] = lambda: None) -> Iterator[Any]:
        sent = {"created": created, "expand": ["data.latest_charge"]}
        return lists.read(self._ask, "/v1/payment_intents", sent, account, on_page=on_page)

    def _refunds(self, ref: str, account: str) -> Iterator[Any]:
        return lists.read(self._ask, "/v1/refunds", {"payment_intent": ref}, account)

    def _entries(self, sent: dict[str, Any], account: str) -> Iterator[ProviderEntry | Unreadable]:
        sent = {**sent, "expand": ["data.source"]}
        lines = lists.read(self._ask, "/v1/balance_transactions", sent, account)
        return fields.readable(lines, objects.entry)


def _answered(intent: stripe.PaymentIntent, account: str) -> ProviderPayment:
    request_id = getattr(intent.last_response, "request_id", None) or ""
    return replace(objects.payment(fields.plain(intent), account), request_id=request_id)


make: Callable[[], Provider] = StripeProvider.from_settings
"""What the registry calls."""

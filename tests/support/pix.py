"""A second provider, quite unlike the first: it sells by Pix, and plays by a script in this process.

It holds no money: a code is shown, and paid minutes later. Its notification carries an id only, and its signature
covers the id and not the body: what happened is looked up. It writes decimals, lists no events, and finds nothing by a
key.
https://www.mercadopago.com.br/developers/en/docs/your-integrations/notifications/webhooks
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from rest_framework.serializers import ChoiceField

from booking.api import serializers
from catalogue.models import Slot
from common.serializers import _shared
from payments import credentials
from payments.credentials import WebhookSecrets
from payments.outcome_types import Failure, ProviderEntry, ProviderObject, ProviderPayment, ProviderRefund
from payments.providers import registry
from payments.providers.base import Provider
from payments.providers.capabilities import Capabilities, Limits, Method
from payments.providers.errors import (
    InvalidSignatureError,
    MissingError,
    OutcomeUnknownError,
    RefusedError,
    UnreadableError,
)
from payments.providers.notifications import DeliveredRequest, Notification
from tests.support import pix_objects, pix_signing
from tests.support.api import Frontend
from tests.support.pix_objects import Row

NAME = "pix"
SECRETS = f"{NAME.upper()}_WEBHOOK_SECRETS"
TOLERANCE = timedelta(seconds=300)


class PixProvider:
    """The provider, with all that it remembers."""

    name: ClassVar[str] = NAME
    capabilities: ClassVar[Capabilities] = Capabilities(
        methods=(Method(name="pix", code=timedelta(hours=24)),),
        key_lifetime=timedelta(hours=24),
        partial_capture=False,
        needs_payer=True,
    )

    def __init__(self) -> None:
        self.payments: dict[str, Row] = {}
        self.asked: list[Mapping[str, Any]] = []
        """What each payment was asked with."""
        self.is_down = False
        self.loses_answers = False
        self.on_look_up: Callable[[str], None] = lambda ref: None

    @property
    def is_live(self) -> bool:
        """See :attr:`Provider.is_live`."""
        return False

    @property
    def declining_method(self) -> str:
        """See :attr:`Provider.declining_method`."""
        return ""

    def check_account(self, *, reference: str) -> None:
        """See :meth:`Provider.check_account`."""
        if not reference.isdigit():
            raise ValidationError("An account is a number.")

    def webhook_secrets(self, *, account: str) -> WebhookSecrets | None:
        """See :meth:`Provider.webhook_secrets`."""
        return credentials.find_webhook_secrets(provider=self.name, account=account)

    def limits(self, *, currency: str) -> Limits | None:
        """See :meth:`Provider.limits`."""
        return Limits(lowest=1, highest=10_000_000) if currency == "BRL" else None

    def authorize(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.authorize`."""
        self._answer()
        made = next((row for row in self.payments.values() if row["key"] == key), None)
        if made is None:
            self.asked.append(parameters)
            made = self._make(parameters, key, account)
        if self.loses_answers:
            raise OutcomeUnknownError("no answer")
        return pix_objects.payment(made, account)

    def abandon(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment | None:
        """See :meth:`Provider.abandon`."""
        return self.authorize(parameters=parameters, key=key, account=account)

    def confirm(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.confirm`."""
        row = self._get(ref, account)
        row["status"] = "pending" if row["status"] == "created" else row["status"]
        return pix_objects.payment(row, account)

    def cancel(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.cancel`."""
        row = self._get(ref, account)
        if row["status"] in ("created", "pending"):
            row["status"] = "cancelled"
        return pix_objects.payment(row, account)

    def refund(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderRefund:
        """See :meth:`Provider.refund`."""
        row = self._get(ref, account)
        if row["status"] != "approved":
            raise RefusedError(failure=Failure(code="not_paid", message="There is nothing to give back."))
        for made in row["refunds"]:
            if made["key"] == key:
                return pix_objects.refund(row, made, account)
        given: Row = {
            "id": f"{ref}-{len(row['refunds']) + 1}",
            "key": key,
            "external_reference": parameters["refund_id"],
            "amount": pix_objects.to_decimal(parameters["amount"]),
            "status": "in_process",
        }
        row["refunds"].append(given)
        if self.loses_answers:
            raise OutcomeUnknownError("no answer")
        return pix_objects.refund(row, given, account)

    def fetch(self, *, ref: str, account: str) -> ProviderPayment:
        """See :meth:`Provider.fetch`."""
        return pix_objects.payment(self._get(ref, account), account)

    def list_refunds(self, *, ref: str, account: str) -> Iterator[ProviderRefund]:
        """See :meth:`Provider.list_refunds`."""
        row = self._get(ref, account)
        return iter([pix_objects.refund(row, given, account) for given in row["refunds"]])

    def list_payments(
        self, *, since: datetime, account: str, until: datetime | None = None
    ) -> Iterator[ProviderPayment]:
        """See :meth:`Provider.list_payments`."""
        self._answer()
        rows = [row for row in self.payments.values() if row["account"] == account and row["at"] >= since]
        return iter([pix_objects.payment(row, account) for row in reversed(rows) if until is None or row["at"] < until])

    def attest(self, *, ref: str, account: str) -> Notification:
        """See :meth:`Provider.attest`."""
        return self._event(ref, account, prefix="attested")

    def look_up(self, *, ref: str, account: str) -> Notification:
        """See :meth:`LooksUp.look_up`."""
        self.on_look_up(ref)
        return self._event(ref, account, prefix="payment")

    def list_entries(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderEntry]:
        """See :meth:`Ledger.list_entries`: of each payment what came, and what went back."""
        lines = [line for row in self.payments.values() if row["account"] == account for line in pix_objects.lines(row)]
        return iter([line for line in lines if since <= line.occurred_at < until])

    def check_headers(self, *, headers: Mapping[str, str], now: datetime) -> None:
        """See :meth:`Provider.check_headers`."""
        parts = pix_signing.read(headers)
        if abs(now.timestamp() - float(parts["ts"])) > TOLERANCE.total_seconds():
            raise InvalidSignatureError("The signature is stale.")

    def authenticate(self, *, request: DeliveredRequest, secrets: Sequence[str], now: datetime) -> Notification:
        """See :meth:`Provider.authenticate`."""
        parts, ref = pix_signing.read(request.headers), request.query.get("data.id", "")
        manifest = pix_signing.manifest(ref, request.headers.get("x-request-id", ""), parts["ts"])
        if not any(hmac.compare_digest(pix_signing.sign(manifest, secret), parts["v1"]) for secret in secrets):
            raise InvalidSignatureError("No signature matches.")
        return Notification(
            event_id=request.headers["x-request-id"],
            type="payment.updated",
            account="",
            live=None,
            created_at=now,
            api_version="v1",
            payload={"data": {"id": ref}},  # the body is not signed: nothing is taken from it
            lookup_ref=ref,
        )

    def read(self, *, notification: Notification) -> Sequence[ProviderObject]:
        """See :meth:`Provider.read`."""
        row = notification.payload
        try:
            refunds = [pix_objects.refund(row, given, notification.account) for given in row["refunds"]]
            return [pix_objects.payment(row, notification.account), *refunds]
        except (KeyError, ArithmeticError, ValueError) as error:
            raise UnreadableError(f"the payment cannot be read ({type(error).__name__})") from error

    def pay(self, ref: str = "") -> Row:
        """Have somebody pay a code, the only one if none is named; returns the payment."""
        row = self.payments[ref or next(iter(self.payments))]
        row["status"], row["paid_at"] = "approved", timezone.now()
        return row

    def finish_refunds(self, status: str = "approved") -> None:
        """Have each refund that is on its way arrive, or not."""
        for row in self.payments.values():
            for given in row["refunds"]:
                if given["status"] == "in_process":
                    given["status"], given["at"] = status, timezone.now()

    def _make(self, parameters: Mapping[str, Any], key: str, account: str) -> Row:
        number = str(1_000_000_000 + len(self.payments))
        self.payments[number] = {
            "id": number,
            "key": key,
            "account": account,
            "status": "pending" if parameters["payment_method_id"] else "created",
            "external_reference": parameters["payment_id"],
            "installation": parameters["installation"],
            "transaction_amount": pix_objects.to_decimal(parameters["amount"]),
            "currency_id": parameters["currency"],
            "date_of_expiration": parameters["expires_at"],
            "refunds": [],
            "at": timezone.now(),
        }
        return self.payments[number]

    def _event(self, ref: str, account: str, *, prefix: str) -> Notification:
        """Write how a payment stands; the same state has the same id."""
        row = self._get(ref, account)
        told: Row = json.loads(json.dumps(row, default=str))
        state = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
        return Notification(
            event_id=f"{prefix}_{ref}_{state}",
            type=f"payment.{row['status']}",
            account=account,
            live=False,
            created_at=datetime.now(UTC),
            api_version="v1",
            payload=told,
            object_ref=ref,
            key_name=credentials.key_name(provider=self.name, account=account),
        )

    def _get(self, ref: str, account: str) -> Row:
        self._answer()
        row = self.payments.get(ref)
        if row is None or row["account"] != account:
            raise MissingError(f"no payment {ref}")
        return row

    def _answer(self) -> None:
        if self.is_down:
            raise OutcomeUnknownError("no answer")


def make() -> Provider:
    """Make the provider, as the registry is given it: the types are checked here."""
    return PixProvider()


@contextmanager
def playing(monkeypatch: pytest.MonkeyPatch) -> Iterator[PixProvider]:
    """Have the provider in the registry, its secret in the environment, and nothing remembered of before."""
    provider = PixProvider()
    monkeypatch.setenv(SECRETS, "mp")
    monkeypatch.setitem(registry._MAKERS, NAME, lambda: provider)
    monkeypatch.setitem(serializers.PaymentIn._declared_fields, "provider", ChoiceField(choices=registry.names()))
    try:
        _forget()
        yield provider
    finally:
        _forget()


def reserve(frontend: Frontend, slot: Slot, **changes: Any) -> Any:
    """Reserve a place, to be paid by a code."""
    payment = {"provider": NAME, "capture_method": "automatic", "payment_method_id": "pix"}
    return frontend.reserve(slot, payment=payment, **changes)


def notify(ref: str, **given: Any) -> int:
    """Deliver a notification of a payment; returns the status of the answer."""
    return Client().post(**pix_signing.request_of(ref, **given)).status_code


def _forget() -> None:
    for kept in (registry.get, _shared):
        kept.cache_clear()

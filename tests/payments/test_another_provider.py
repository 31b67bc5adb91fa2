"""The provider interface carries one that is quite unlike Stripe: Mercado Pago's shape, played by a script.

Its notification carries an id only and is signed over a manifest of query and headers; what it is about is looked up;
amounts are decimals; a Pix payment shows a code and is paid minutes later.
https://www.mercadopago.com.br/developers/en/docs/your-integrations/notifications/webhooks
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.serializers import ChoiceField

from booking import execution
from booking.api import serializers
from booking.models import Reservation
from common.errors import UnavailableError
from common.serializers import _shared
from payments import credentials
from payments.credentials import WebhookSecrets
from payments.outcome_types import Outcome, ProviderPayment, ProviderRefund
from payments.providers import registry
from payments.providers.errors import InvalidSignatureError, OutcomeUnknownError
from payments.providers.notifications import DeliveredRequest, Notification
from tests.support import promises
from tests.support.api import Frontend
from tests.support.factories import SlotFactory, make_client
from webhooks import inbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

_OUTCOMES = {"pending": Outcome.REQUIRES_ACTION, "approved": Outcome.CAPTURED, "cancelled": Outcome.CANCELED}


class PixProvider:
    """A Mercado Pago of one process: it remembers its payments, and can be told that somebody paid."""

    name: ClassVar[str] = "mercadopago"
    is_live = False

    def __init__(self) -> None:
        self.payments: dict[str, dict[str, Any]] = {}
        self.is_down = False

    def webhook_secrets(self, *, account: str) -> WebhookSecrets | None:
        return credentials.find_webhook_secrets(provider=self.name, account=account)

    def check_amount(self, *, amount: int, currency: str, param: str = "amount") -> None:
        assert currency == "BRL"

    def confirm(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        raise AssertionError("a code needs no confirmation")

    def authorize(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        for row in self.payments.values():
            if row["key"] == key:
                return self._shown(row)
        number = str(1_000_000_000 + len(self.payments))
        row = {
            "id": number,
            "key": key,
            "status": "pending",
            "external_reference": parameters["payment_id"],
            "transaction_amount": str(Decimal(parameters["amount"]).scaleb(-2)),
            "currency_id": parameters["currency"],
            "point_of_interaction": {"transaction_data": {"qr_code": "00020126580014br.gov.bcb.pix"}},
        }
        self.payments[number] = row
        return self._shown(row)

    def abandon(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment | None:
        return self.authorize(parameters=parameters, key=key, account=account)

    def capture(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        raise AssertionError("Pix has no hold")

    def cancel(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        row = self.payments[ref]
        if row["status"] == "pending":
            row["status"] = "cancelled"
        return self._shown(row)

    def refund(self, *, ref: str, parameters: Mapping[str, Any], key: str, account: str) -> ProviderRefund:
        raise AssertionError("not asked for here")

    def fetch(self, *, ref: str, account: str) -> ProviderPayment:
        return self._shown(self.payments[ref])

    def find(self, *, key: str, near: datetime, account: str, **_: Any) -> ProviderPayment | None:
        return next((self._shown(row) for row in self.payments.values() if row["key"] == key), None)

    def find_refund(self, *, ref: str, key: str, account: str) -> ProviderRefund | None:
        return None

    def list_payments(self, *, since: datetime, account: str) -> Iterator[ProviderPayment]:
        return iter([self._shown(row) for row in self.payments.values()])

    def authenticate(self, *, request: DeliveredRequest, secrets: Sequence[str], now: datetime) -> Notification:
        parts = dict(part.split("=", 1) for part in request.headers["x-signature"].split(","))
        signed = f"id:{request.query['data.id']};request-id:{request.headers['x-request-id']};ts:{parts['ts']};"
        if not any(hmac.compare_digest(_sign(signed, secret), parts["v1"]) for secret in secrets):
            raise InvalidSignatureError("No signature matches.")
        told = json.loads(request.body)
        return Notification(
            event_id=str(told["id"]),
            type=told["action"],
            account="",
            live=told["live_mode"],
            created_at=now,
            api_version=told["api_version"],
            payload=told,
            object_ref=request.query["data.id"],
            lookup_ref=request.query["data.id"],
        )

    def look_up(self, *, notification: Notification) -> Notification:
        if self.is_down:
            raise OutcomeUnknownError("no answer")
        found = dict(self.payments[notification.lookup_ref])
        return replace(notification, payload={**notification.payload, "object": found})

    def read(self, *, notification: Notification) -> ProviderPayment | ProviderRefund | None:
        return self._shown(notification.payload["object"])

    def _shown(self, row: Mapping[str, Any]) -> ProviderPayment:
        amount = int(Decimal(row["transaction_amount"]).scaleb(2))
        outcome = _OUTCOMES[row["status"]]
        return ProviderPayment(
            ref=row["id"],
            outcome=outcome,
            amount=amount,
            currency=row["currency_id"],
            amount_captured=amount if outcome is Outcome.CAPTURED else 0,
            payment_id=UUID(row["external_reference"]),
            next_action={"type": "pix", "qr_code": row["point_of_interaction"]["transaction_data"]["qr_code"]},
        )


def _sign(signed: str, secret: str) -> str:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def pix(monkeypatch: pytest.MonkeyPatch) -> Iterator[PixProvider]:
    """Have a second provider, known to the registry and to nothing else."""
    provider = PixProvider()
    monkeypatch.setenv("MERCADOPAGO_WEBHOOK_SECRETS", "mp")
    monkeypatch.setitem(registry._MAKERS, PixProvider.name, lambda: provider)
    monkeypatch.setitem(serializers.PaymentIn._declared_fields, "provider", ChoiceField(choices=registry.names()))
    for kept in (registry.get, _shared):
        kept.cache_clear()
    yield provider
    for kept in (registry.get, _shared):
        kept.cache_clear()


def notify(ref: str, *, number: int, secret: str = "mp") -> inbox.Receipt:  # noqa: S107  # a test's
    """Deliver a notification, as Mercado Pago does: an id, and a signature of the manifest."""
    body = {"id": number, "action": "payment.updated", "api_version": "v1", "live_mode": False, "data": {"id": ref}}
    signature = f"ts=1763726400,v1={_sign(f'id:{ref};request-id:r-1;ts:1763726400;', secret)}"
    request = DeliveredRequest(
        body=json.dumps(body).encode(),
        headers={"x-signature": signature, "x-request-id": "r-1"},
        query={"data.id": ref},
    )
    return inbox.receive(provider="mercadopago", request=request, account="", now=timezone.now())


class TestPix:
    def reserve(self) -> tuple[Reservation, dict[str, Any]]:
        slot = SlotFactory.create(activity__currency="BRL")
        frontend = Frontend(make_client(slot.activity.operator)[1])
        answer = frontend.reserve(slot, payment={"provider": "mercadopago", "capture_method": "automatic",
                                                 "payment_method_id": "pix"})  # fmt: skip
        assert answer.status_code == 201, answer.content
        return Reservation.objects.get(), answer.json()

    def test_a_code_is_shown_and_the_money_comes_later(self, pix: PixProvider) -> None:
        reservation, answer = self.reserve()
        assert (reservation.status, answer["payment"]["status"]) == ("awaiting_payment", "requires_action")
        assert answer["payment"]["next_action"]["qr_code"].startswith("000201")
        (row,) = pix.payments.values()
        assert row["transaction_amount"] == "45.00"
        row["status"] = "approved"
        assert notify(row["id"], number=1) is inbox.Receipt.APPLIED
        assert notify(row["id"], number=1) is inbox.Receipt.DUPLICATE
        reservation.refresh_from_db()
        assert (reservation.status, reservation.payment.amount_captured) == ("paid", 4500)
        assert Event.objects.get().payload["object"]["status"] == "approved"
        promises.hold()

    def test_a_notification_proves_nothing_by_itself(self, pix: PixProvider) -> None:
        reservation, _ = self.reserve()
        (row,) = pix.payments.values()
        assert notify(row["id"], number=1) is inbox.Receipt.APPLIED  # it is still pending there
        with pytest.raises(InvalidSignatureError):
            notify(row["id"], number=2, secret="guessed")
        reservation.refresh_from_db()
        assert reservation.status == "awaiting_payment"

    def test_what_cannot_be_looked_up_comes_again(self, pix: PixProvider) -> None:
        reservation, _ = self.reserve()
        (row,) = pix.payments.values()
        row["status"] = "approved"
        pix.is_down = True
        with pytest.raises(UnavailableError):
            notify(row["id"], number=1)
        assert Event.objects.count() == 0
        pix.is_down = False
        assert notify(row["id"], number=1) is inbox.Receipt.APPLIED
        reservation.refresh_from_db()
        assert reservation.status == "paid"

    def test_canceling_closes_the_code(self, pix: PixProvider) -> None:
        reservation, _ = self.reserve()
        client, key = make_client(reservation.operator)
        assert Frontend(key, client).post(f"reservations/{reservation.pk}/cancel").status_code == 200
        execution.execute_due()
        assert [row["status"] for row in pix.payments.values()] == ["cancelled"]
        promises.hold()

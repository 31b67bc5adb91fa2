"""Who may speak: only a body that was signed, a short while ago, with a secret of ours."""

import json
import random
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from payments.providers.base import DeliveredRequest, InvalidSignatureError
from tests import stripe_events
from tests.stripe_events import SECRET
from webhooks import inbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

MUTATIONS = 10_000


def event(**changes: Any) -> dict[str, Any]:
    """Write an event that is none of our business, and so is only kept."""
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "type": "customer.created",
        "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
        **changes,
    }


def body_of(**changes: Any) -> bytes:
    return json.dumps(event(**changes)).encode()


def assert_refused(answer: Any) -> None:
    """The contract's refusal, and nothing stored."""
    assert answer.status_code == 400, answer.content
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_signature")
    assert Event.objects.count() == 0


class TestSignature:
    def test_an_authentic_event_is_taken(self) -> None:
        answer = stripe_events.deliver(event())
        assert (answer.status_code, answer.json()) == (200, {"received": True})
        kept = Event.objects.get()
        assert (kept.event_id, kept.type, kept.status) == ("evt_1", "customer.created", "ignored")

    def test_none(self) -> None:
        assert_refused(stripe_events.post(body_of(), None))

    @pytest.mark.parametrize(
        "header", ["", "t=1", "v1=00", "t=abc,v1=00", "nonsense", "t=1,t=2,v1=" + "0" * 64, "t=1,v0=" + "0" * 64]
    )
    def test_malformed(self, header: str) -> None:
        assert_refused(stripe_events.post(body_of(), header))

    def test_of_another_secret(self) -> None:
        body = body_of()
        assert_refused(stripe_events.post(body, stripe_events.sign(body, secret="whsec_another")))

    @pytest.mark.parametrize("secrets", [[], [""]])
    def test_an_installation_without_a_secret_takes_nothing(self, settings: Settings, secrets: list[str]) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = secrets
        body = body_of()
        assert_refused(stripe_events.post(body, stripe_events.sign(body, secret="")))

    @pytest.mark.parametrize("seconds", [-301, 330, -86_400])
    def test_stale_or_from_a_time_to_come(self, seconds: int) -> None:
        body = body_of()
        assert_refused(stripe_events.post(body, stripe_events.sign(body, at=int(time.time()) + seconds)))

    def test_within_the_tolerance(self) -> None:
        body = body_of()
        assert stripe_events.post(body, stripe_events.sign(body, at=int(time.time()) - 290)).status_code == 200

    def test_a_fresh_time_on_an_old_signature(self) -> None:
        body, now = body_of(), int(time.time())
        old = stripe_events.sign(body, at=now - 3600)
        assert_refused(stripe_events.post(body, f"t={now}," + old.split(",")[1]))

    @pytest.mark.parametrize(
        "change",
        [
            lambda body: body[:-1],
            lambda body: body + b" ",
            lambda body: json.dumps(json.loads(body), indent=1).encode(),
            lambda body: json.dumps(json.loads(body), separators=(",", ":")).encode(),
            lambda body: body.replace(b"evt_1", b"evt_2"),
            lambda body: b"\xef\xbb\xbf" + body,
            lambda body: b"",
        ],
        ids=["truncated", "longer", "indented", "compacted", "changed", "with a BOM", "empty"],
    )
    def test_of_another_body(self, change: Any) -> None:
        body = body_of()
        assert_refused(stripe_events.post(change(body), stripe_events.sign(body)))

    def test_ten_thousand_mutations(self) -> None:
        chance = random.Random(20_261_121)
        body = body_of()
        header = stripe_events.sign(body)
        alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF,=. -+"
        for _ in range(MUTATIONS):
            mutated, sent = header, body
            kind = chance.randrange(4)
            if kind == 3:
                place = chance.randrange(len(body))
                sent = body[:place] + bytes([body[place] ^ (1 << chance.randrange(8))]) + body[place + 1 :]
            else:
                place = chance.randrange(len(header))
                put = "" if kind == 0 else chance.choice(alphabet)
                mutated = header[:place] + put + header[place + (kind != 2) :]
            if (mutated, sent) == (header, body):
                continue
            request = DeliveredRequest(body=sent, headers={"Stripe-Signature": mutated}, query={})
            with pytest.raises(InvalidSignatureError):
                inbox.receive(provider="stripe", request=request, secrets=[SECRET], account="", now=timezone.now())
        assert Event.objects.count() == 0


class TestRotation:
    def test_two_secrets_are_valid_at_a_time(self, settings: Settings) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
        for number, secret in enumerate(["whsec_old", "whsec_new"]):
            assert stripe_events.deliver(event(id=f"evt_{number}"), secret=secret).status_code == 200
        assert Event.objects.count() == 2

    def test_one_delivery_may_carry_both_signatures(self, settings: Settings) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new"]
        body = body_of()
        old, new = (stripe_events.sign(body, secret=secret) for secret in ("whsec_old", "whsec_new"))
        assert stripe_events.post(body, f"{old},{new.split(',')[1]}").status_code == 200

    def test_the_old_one_is_refused_once_it_is_gone(self, settings: Settings) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new"]
        assert_refused(stripe_events.deliver(event(), secret="whsec_old"))


class TestBody:
    @pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"not json", b"\xff\xfe", b'{"id": "evt_1"}'])
    def test_signed_and_no_event(self, body: bytes) -> None:
        assert_refused(stripe_events.post(body, stripe_events.sign(body)))

    def test_larger_than_a_mebibyte(self) -> None:
        body = body_of(padding="x" * 1024 * 1024)
        answer = stripe_events.post(body, stripe_events.sign(body))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
        assert Event.objects.count() == 0

    def test_what_the_database_cannot_hold_is_replaced_and_the_event_kept(self) -> None:
        customer = {"id": "cus_1", "object": "customer", "name": "Ana\x00\ud800", "tags": ["\x00"]}
        assert stripe_events.deliver(event(data={"object": customer})).status_code == 200
        assert Event.objects.get().payload["data"]["object"]["name"] == "Ana\ufffd?"

    def test_only_by_post(self) -> None:
        answer = Client().get("/webhooks/stripe")
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")

    def test_an_address_that_is_none(self) -> None:
        answer = stripe_events.post(b"{}", None, path="/webhooks/paypal/x/y")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

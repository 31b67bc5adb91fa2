"""Who may speak: only a body that was signed, a short while ago, with a secret of ours."""

import hashlib
import hmac
import json
import random
import time
from typing import Any

import pytest
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.test import Client, RequestFactory

from tests.support import odd_events, stripe_events
from tests.support.stripe_events import SECRET
from webhooks.api import views
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

MUTATIONS = 10_000
_REQUESTS = RequestFactory()


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


def signed(body: bytes, header: str) -> HttpRequest:
    """Make a delivery as the view gets it; much faster than through a client."""
    return _REQUESTS.post("/webhooks/stripe", body, "application/json", headers={"Stripe-Signature": header})


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

    @pytest.mark.parametrize("none", ["", " , "])
    def test_an_installation_without_a_secret_takes_nothing(self, monkeypatch: pytest.MonkeyPatch, none: str) -> None:
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", none)
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

    def test_ten_thousand_forgeries(self) -> None:
        """A changed body or header, or another secret: whatever is in it, it is nothing."""
        chance = random.Random(20_261_121)
        body = body_of()
        header = stripe_events.sign(body)
        odd = [body for _, body in odd_events.bodies() if len(body) < 10_000]
        alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF,=. -+"
        for _ in range(MUTATIONS):
            mutated, sent = header, body
            kind = chance.randrange(5)
            if kind == 4:
                sent = chance.choice(odd)
                mutated = stripe_events.sign(sent, secret=f"whsec_{chance.random()}")
            elif kind == 3:
                place = chance.randrange(len(body))
                sent = body[:place] + bytes([body[place] ^ (1 << chance.randrange(8))]) + body[place + 1 :]
            else:
                place = chance.randrange(len(header))
                put = "" if kind == 0 else chance.choice(alphabet)
                mutated = header[:place] + put + header[place + (kind != 2) :]
            if (mutated, sent) == (header, body):
                continue
            assert views.deliver(signed(sent, mutated), "stripe").status_code == 400, (mutated, sent)
        assert Event.objects.count() == 0
        assert views.deliver(signed(body, header), "stripe").status_code == 200  # the control
        assert Event.objects.count() == 1

    def test_a_time_that_is_none(self) -> None:
        body = body_of()
        for at in ("253402300800", "999999999999", "0", "00000000000", "1e9", "-1", "1" * 40, "٣"):
            signature = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
            request = signed(body, "")
            request.META["HTTP_STRIPE_SIGNATURE"] = f"t={at},v1={signature}"
            assert views.deliver(request, "stripe").status_code == 400, at
        assert Event.objects.count() == 0


class Wire:
    """The rest of a request on the wire."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, *_: Any) -> bytes:
        raise self.error


class TestUnread:
    """What can be told by the header is told before a byte of the body is waited for."""

    def test_a_delivery_without_a_fresh_signature(self) -> None:
        for header in (None, "", "nonsense", "t=1,v1=" + "0" * 64, "t=253402300800,v1=" + "0" * 64):
            request = signed(b"x", header or "")
            if header is None:
                del request.META["HTTP_STRIPE_SIGNATURE"]
            request._stream = Wire(AssertionError("the body is read"))  # type: ignore[assignment]
            assert views.deliver(request, "stripe").status_code == 400, header

    def test_a_body_that_breaks_off(self) -> None:
        body = body_of()
        for error in (OSError("gone"), UnreadablePostError("gone"), ConnectionResetError("gone")):
            request = signed(body, stripe_events.sign(body))
            request._stream = Wire(error)  # type: ignore[assignment]
            assert views.deliver(request, "stripe").status_code == 400, error
        assert views.deliver(signed(body[: len(body) // 2], stripe_events.sign(body)), "stripe").status_code == 400
        assert Event.objects.count() == 0


class TestRotation:
    def test_two_secrets_are_valid_at_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_new,whsec_old")
        for number, secret in enumerate(["whsec_old", "whsec_new"]):
            assert stripe_events.deliver(event(id=f"evt_{number}"), secret=secret).status_code == 200
        assert Event.objects.count() == 2

    def test_one_delivery_may_carry_both_signatures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_new")
        body = body_of()
        old, new = (stripe_events.sign(body, secret=secret) for secret in ("whsec_old", "whsec_new"))
        assert stripe_events.post(body, f"{old},{new.split(',')[1]}").status_code == 200

    def test_the_old_one_is_refused_once_it_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_new")
        assert_refused(stripe_events.deliver(event(), secret="whsec_old"))


class TestBody:
    def test_larger_than_a_mebibyte(self) -> None:
        body = body_of(padding="x" * 1024 * 1024)
        answer = stripe_events.post(body, stripe_events.sign(body))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
        assert Event.objects.count() == 0

    def test_what_the_database_cannot_hold_is_replaced_and_the_event_kept(self) -> None:
        customer = {"id": "cus_1", "object": "customer", "name": "Ana\x00\ud800", "tags": ["\x00"]}
        assert stripe_events.deliver(event(data={"object": customer})).status_code == 200
        assert Event.objects.get().payload["data"]["object"]["name"] == "Ana\ufffd?"

    def test_a_mebibyte_and_no_more(self) -> None:
        body = body_of(padding="x" * (views.MAX_BODY - len(body_of(padding=""))))
        assert len(body) == 1024 * 1024
        assert stripe_events.post(body, stripe_events.sign(body)).status_code == 200

    def test_only_by_post(self) -> None:
        body = body_of()
        headers = {"Stripe-Signature": stripe_events.sign(body)}
        for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = Client().generic(method, "/webhooks/stripe", body, "application/json", headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
        assert Event.objects.count() == 0

    def test_whatever_is_in_the_query(self) -> None:
        body = body_of()
        for query in ("a=1", "%ff=%fe", "&".join(f"a{number}" for number in range(2_000)), "a" * 5_000):
            answer = stripe_events.post(body, stripe_events.sign(body), path=f"/webhooks/stripe?{query}")
            assert answer.status_code < 500, query

    def test_an_address_that_is_none(self) -> None:
        answer = stripe_events.post(b"{}", None, path="/webhooks/paypal/x/y")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

"""The table of the contract, row by row: what a repeated Idempotency-Key gets."""

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.db.models.functions import Now

from booking import availability, reserving
from booking.models import Reservation
from idempotency import keys
from idempotency.models import IdempotencyKey
from tests.support.aging import end_leases
from tests.support.api import Frontend, reservation_body
from tests.support.factories import SlotFactory, make_client
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


class TestKey:
    def test_is_needed(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        refused = frontend.http.post("/api/v1/reservations", reservation_body(slot), format="json")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "idempotency_key_missing")
        assert Reservation.objects.count() == 0

    @pytest.mark.parametrize("key", ["two words", "ümlaut", "x" * 256, "tab\t"])
    def test_is_visible_ascii(self, sandbox: Sandbox, key: str) -> None:
        slot = SlotFactory.create()
        refused = Frontend.of(slot).reserve(slot, key=key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "idempotency_key_invalid")
        assert Reservation.objects.count() == 0

    def test_quoted_or_bare_is_the_same(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        first, second = frontend.reserve(slot, key="abc"), frontend.reserve(slot, key='"abc"')
        assert (second.content, second["Idempotent-Replayed"]) == (first.content, "true")

    def test_gets_the_first_answer_byte_for_byte(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        first = frontend.reserve(slot, key="once")
        assert "Idempotent-Replayed" not in first
        frontend.post(f"reservations/{first.json()['reservation']['id']}/cancel")
        again = frontend.reserve(slot, key="once")
        assert (again.status_code, again.content, again["Content-Type"]) == (201, first.content, "application/json")
        assert again["Idempotent-Replayed"] == "true"
        assert (Reservation.objects.count(), len(sandbox.payment_intents())) == (1, 1)

    def test_the_same_json_written_another_way_is_the_same_request(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        first = frontend.reserve(slot, key="once")
        body = reservation_body(slot)
        again = frontend.post("reservations", dict(reversed(body.items())), key="once")
        assert again.content == first.content

    def test_a_refusal_is_an_answer_too(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        first = frontend.reserve(slot, key="once", card="pm_card_chargeDeclined")
        again = frontend.reserve(slot, key="once", card="pm_card_chargeDeclined")
        assert (again.status_code, again.content, again["Idempotent-Replayed"]) == (422, first.content, "true")
        assert len(sandbox.payment_intents()) == 1

    def test_for_another_request_is_refused(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot, key="once").json()["reservation"]
        for refused in (
            frontend.reserve(slot, key="once", adults=2),
            frontend.post(f"reservations/{made['id']}/cancel", key="once"),
        ):
            assert (refused.status_code, refused.json()["error"]["code"]) == (422, "idempotency_key_reused")
        assert Reservation.objects.get().status == "pending"

    def test_of_another_client_is_another_key(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        for _ in range(2):
            _, key = make_client(slot.activity.operator)
            assert Frontend(key).reserve(slot, key="once").status_code == 201
        assert Reservation.objects.count() == 2


class TestInFlight:
    def test_is_told_to_wait(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        told = []
        offer = availability.get_slot_offer

        def meanwhile(**given: object) -> availability.Offer:
            monkeypatch.setattr(availability, "get_slot_offer", offer)
            told.append(frontend.reserve(slot, key="once"))
            return offer(**given)  # type: ignore[arg-type]  # passed on as it came

        monkeypatch.setattr(availability, "get_slot_offer", meanwhile)
        assert frontend.reserve(slot, key="once").status_code == 201
        assert [(answer.status_code, answer.json()["error"]["code"]) for answer in told] == [
            (409, "idempotency_key_in_use")
        ]
        assert int(told[0]["Retry-After"]) > 0
        assert Reservation.objects.count() == 1

    @pytest.mark.concurrency
    def test_ten_first_requests_have_one_effect(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=50)
        key = Frontend.of(slot).key
        answers = race([partial(Frontend(key).reserve, slot, key="once")] * 10)
        told = Counter(answer.status_code for answer in answers)
        assert set(told) <= {201, 409}
        assert told[201] >= 1
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        assert (Reservation.objects.count(), len(sandbox.payment_intents())) == (1, 1)


class TestFlushing:
    def test_all_but_the_claim_waits_for_the_disk(self) -> None:
        client, _ = make_client(SlotFactory.create().activity.operator)
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
            claimed = keys.claim(client=client, key="once", method="POST", path="/", body=b"")
            cursor.execute("SHOW synchronous_commit")
            told = cursor.fetchone()
            cursor.execute("RESET synchronous_commit")
        assert (isinstance(claimed, keys.Claim), told) == (True, ("on",))


class TestHalfWay:
    def test_a_retry_goes_on_with_what_the_first_run_made(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        with monkeypatch.context() as broken:
            broken.setattr(reserving, "_result", lambda *_, **__: 1 / 0)
            assert frontend.reserve(slot, key="once").status_code == 500
        again = frontend.reserve(slot, key="once")
        assert (again.status_code, again.json()["reservation"]["status"]) == (201, "pending")
        assert (Reservation.objects.count(), len(sandbox.payment_intents())) == (1, 1)

    def test_a_slow_run_cannot_answer_for_the_one_that_took_over(self, sandbox: Sandbox) -> None:
        client, _ = make_client(SlotFactory.create().activity.operator)
        given = {"key": "once", "method": "POST", "path": "/x", "body": b"{}"}
        first = keys.claim(client=client, **given)  # type: ignore[arg-type]  # as a request has them
        end_leases()
        second = keys.claim(client=client, **given)  # type: ignore[arg-type]  # as a request has them
        assert isinstance(first, keys.Claim)
        assert isinstance(second, keys.Claim)
        assert second.operation == keys.Operation(first.operation.id, resumed=True)
        keys.answer(claim=first, status_code=201, body=b"slow")
        keys.answer(claim=second, status_code=201, body=b"right")
        assert keys.claim(client=client, **given) == keys.Answer(201, b"right")  # type: ignore[arg-type]


class TestNotStored:
    def test_a_conflict_leaves_the_key_free(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=1)
        frontend = Frontend.of(slot)
        first = frontend.reserve(slot).json()["reservation"]
        assert frontend.reserve(slot, key="mine").status_code == 409
        frontend.post(f"reservations/{first['id']}/cancel")
        assert frontend.reserve(slot, key="mine").status_code == 201

    def test_who_may_not_leaves_no_key(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        _, reader = make_client(slot.activity.operator, scopes=[])
        assert Frontend(reader).reserve(slot, key="mine").status_code == 403
        assert Frontend("hf_wrong").reserve(slot, key="mine").status_code == 401
        assert IdempotencyKey.objects.count() == 0


class TestPurge:
    def test_forgets_after_a_day(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        frontend.reserve(slot, key="old")
        IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=24, minutes=1))
        frontend.reserve(slot, key="new")
        assert keys.purge() == 1
        assert [row.key for row in IdempotencyKey.objects.all()] == ["new"]
        assert frontend.reserve(slot, key="old").status_code == 201
        assert Reservation.objects.count() == 3

    def test_keeps_a_run_that_lives(self, sandbox: Sandbox) -> None:
        client, _ = make_client(SlotFactory.create().activity.operator)
        keys.claim(client=client, key="long", method="POST", path="/x", body=b"")
        IdempotencyKey.objects.update(created_at=Now() - timedelta(days=2))
        assert keys.purge() == 0

"""A notification that only names an object: stored first, looked up after, and evidence of nothing by itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.test import Client

from booking.models import Reservation
from catalogue.models import Slot
from payments.providers.errors import NotSentError
from sweeps import leases
from sweeps import registry as sweeps
from sweeps.models import SweepRun
from tests.support import dying, pix, pix_signing, pooling, promises
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.pix import PixProvider
from tests.support.threads import race
from webhooks import notices
from webhooks.models import Event, Notice, NoticeStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(name="provider")
def _provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[PixProvider]:
    with pix.playing(monkeypatch) as provider:
        yield provider


@pytest.fixture(name="ref")
def _ref(provider: PixProvider) -> str:
    """A payment that waits for somebody to pay its code."""
    slot: Slot = SlotFactory.create(activity__currency="BRL")
    assert pix.reserve(Frontend.of(slot), slot).status_code == 201
    return next(iter(provider.payments))


def paid() -> bool:
    return Reservation.objects.get().status == "paid"


class TestStoring:
    def test_no_provider_is_asked_before_the_answer(self, provider: PixProvider, ref: str) -> None:
        provider.pay()
        provider.is_down = True
        looks = list[str]()
        provider.on_look_up = looks.append
        assert pix.notify(ref) == 200
        notice = Notice.objects.get()
        assert (notice.lookup_ref, notice.status, notice.secret_name) == (ref, "waiting", pix.SECRETS)
        assert (looks, Event.objects.count(), paid()) == ([], 0, False)

    def test_what_is_not_signed_or_stale_is_not_stored(self, provider: PixProvider, ref: str) -> None:
        assert pix.notify(ref, secret="guessed") == 400
        bare = pix_signing.request_of(ref)
        del bare["headers"]["x-signature"]
        stale = pix_signing.request_of(ref)
        stale["headers"]["x-signature"] = "ts=1763726400,v1=00"
        for request in (bare, stale):
            assert Client().post(**request).status_code == 400
        assert Notice.objects.count() == 0

    def test_nothing_is_taken_from_a_body_that_is_not_signed(self, provider: PixProvider, ref: str) -> None:
        assert pix.notify(ref, body={"data": {"id": "of another"}, "status": "approved", "amount": 1}) == 200
        assert Notice.objects.get().payload == {"data": {"id": ref}}
        sweeps.run("look_up_notices")
        assert (paid(), Event.objects.get().payload["status"]) == (False, "pending")

    def test_a_copy_is_one_notice_and_one_more_look(self, provider: PixProvider, ref: str) -> None:
        for number in (1, 2):
            assert pix.notify(ref, request_id="r-1") == 200
            notice = Notice.objects.get()
            assert (notice.deliveries, notice.status) == (number, "waiting")
            sweeps.run("look_up_notices")
            provider.pay()
        assert paid()
        assert Event.objects.count() == 2

    def test_a_hundred_copies_at_once_are_one_notice(self, provider: PixProvider, ref: str) -> None:
        request = pix_signing.request_of(ref, request_id="r-1")
        answers = race([lambda: Client().post(**request).status_code] * 8)
        assert (answers, Notice.objects.get().deliveries) == ([200] * 8, 8)


class TestLookingUp:
    def test_the_same_state_is_one_event(self, provider: PixProvider, ref: str) -> None:
        provider.pay()
        for _ in range(3):
            pix.notify(ref)
            sweeps.run("look_up_notices")
        assert (Notice.objects.filter(status="looked_up").count(), Event.objects.count(), paid()) == (3, 1, True)
        promises.hold()

    def test_holds_no_transaction_and_no_connection(
        self, provider: PixProvider, ref: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = list[object]()
        provider.on_look_up = lambda _: held.append((connection.in_atomic_block, connection.connection))
        pix.notify(ref)
        with pooling.in_use(monkeypatch):
            sweeps.run("look_up_notices")
        assert held == [(False, None)]

    def test_a_provider_that_is_down_is_asked_again_and_a_person_told_in_the_end(
        self, provider: PixProvider, ref: str, settings: Any
    ) -> None:
        settings.EVENT_MAX_ATTEMPTS = 2
        provider.pay()
        pix.notify(ref)
        provider.is_down = True
        for expected in ("waiting", "given_up", "given_up"):
            end_leases()
            sweeps.run("look_up_notices")
            assert Notice.objects.get().status == expected
        assert Notice.objects.get().last_error == "no answer"
        provider.is_down = False
        end_leases()
        notices.look_again(notice_id=Notice.objects.get().pk)
        sweeps.run("look_up_notices")
        assert (Notice.objects.get().status, paid()) == ("looked_up", True)

    def test_being_held_off_costs_no_attempt(self, provider: PixProvider, ref: str, settings: Any) -> None:
        settings.EVENT_MAX_ATTEMPTS = 1
        pix.notify(ref)

        def refuse(_: str) -> None:
            raise NotSentError("rate limited", retry_after=1)

        provider.on_look_up = refuse
        for _ in range(3):
            end_leases()
            sweeps.run("look_up_notices")
        notice = Notice.objects.get()
        assert (notice.status, notice.attempts, notice.attempts_of_round) == ("waiting", 3, 0)

    def test_one_that_fails_stops_no_other(self, provider: PixProvider, ref: str) -> None:
        pix.notify("of nobody")
        provider.pay()
        pix.notify(ref)
        sweeps.run("look_up_notices")
        assert paid()
        lost = Notice.objects.get(lookup_ref="of nobody")
        assert (lost.status, lost.last_error) == ("waiting", "no payment of nobody")

    def test_what_is_looked_up_and_cannot_be_read_is_kept(self, provider: PixProvider, ref: str) -> None:
        provider.pay()["transaction_amount"] = "forty-five"
        pix.notify(ref)
        sweeps.run("look_up_notices")
        event = Event.objects.get()
        assert (event.status, Notice.objects.get().event, paid()) == ("failed", event, False)
        assert event.error == "UnreadableError: the payment cannot be read (InvalidOperation)"

    def test_one_that_comes_again_while_it_is_looked_up_is_looked_up_again(
        self, provider: PixProvider, ref: str
    ) -> None:
        """What the first look has read may be older than the second notification."""
        pix.notify(ref, request_id="r-1")

        def again(_: str) -> None:
            provider.on_look_up = lambda _: None
            pix.notify(ref, request_id="r-1")

        provider.on_look_up = again
        sweeps.run("look_up_notices")
        assert (Notice.objects.get().status, SweepRun.objects.get().error) == ("waiting", "")
        provider.pay()
        end_leases()
        sweeps.run("look_up_notices")
        assert (Notice.objects.get().status, paid()) == ("looked_up", True)

    def test_a_worker_looks_up_at_once(self, provider: PixProvider, ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
        queued = list[dict[str, Any]]()
        monkeypatch.setattr(notices, "async_task", lambda name, **given: queued.append({"name": name, **given}))
        provider.pay()
        pix.notify(ref)
        (task,) = queued
        assert (task["name"], task["notice_id"]) == ("webhooks.notices.look_up_queued", Notice.objects.get().pk)
        assert notices.look_up_queued(notice_id=task["notice_id"])
        assert paid()

    @pytest.mark.crash
    def test_a_death_anywhere_has_no_second_effect(self, provider: PixProvider, ref: str) -> None:
        provider.pay()
        pix.notify(ref)
        deaths = 0
        while dying.run_and_die(lambda: _look_in_child(provider), at=deaths + 1):
            deaths += 1
            leases.free_left_behind()
            end_leases()
        assert deaths >= 4  # the claim, the event, the mark, each before and after
        end_leases()
        sweeps.run("look_up_notices")
        assert (Notice.objects.get().status, Event.objects.count(), paid()) == ("looked_up", 1, True)
        promises.hold()


class TestGuards:
    @pytest.mark.parametrize(
        "change", [{"lookup_ref": "another"}, {"payload": {}}, {"deliveries": 0}, {"secret_name": "X"}, {"attempts": 0}]
    )
    def test_what_it_told_is_kept(self, provider: PixProvider, ref: str, change: dict[str, Any]) -> None:
        pix.notify(ref)
        sweeps.run("look_up_notices")
        with pytest.raises(DatabaseError), transaction.atomic():
            Notice.objects.update(**change)

    def test_it_is_not_deleted(self, provider: PixProvider, ref: str) -> None:
        pix.notify(ref)
        with pytest.raises(DatabaseError), transaction.atomic():
            Notice.objects.all()._raw_delete("default")


class TestDesk:
    def test_shows_what_was_given_up_and_looks_again(self, provider: PixProvider, ref: str) -> None:
        pix.notify(ref)
        Notice.objects.update(status=NoticeStatus.GIVEN_UP, next_attempt_at=None)
        notice = Notice.objects.get()
        person, desk = get_user_model().objects.create_superuser("root"), Client()
        desk.force_login(person)
        assert b"Notices given up" in desk.get("/admin/").content
        page = f"/admin/webhooks/notice/{notice.pk}/change/"
        assert ref.encode() in desk.get(page).content
        assert desk.get("/admin/webhooks/notice/?status__exact=given_up").status_code == 200


def _look_in_child(provider: PixProvider) -> None:
    """Look in a process that dies: what it remembers of the registry was forgotten at its start."""
    for notice in Notice.objects.filter(status=NoticeStatus.WAITING):
        notices.look_up(notice_id=notice.pk)

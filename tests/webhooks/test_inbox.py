"""What becomes of an authentic event: applied once, whenever and however often it comes, or kept and tried again."""

import uuid
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from pytest_django import Settings

from booking import outcomes
from booking.models import History, Reservation
from reconciliation.models import Discrepancy
from sweeps import registry
from tests.support import promises, stripe_events, virtual_clock
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks import inbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def confirmed(sandbox: Sandbox) -> Reservation:
    """A reservation whose money is taken and whose events have not come."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot).json()["reservation"]
    frontend.post(f"reservations/{made['id']}/confirm")
    return Reservation.objects.get(pk=made["id"])


def status_of(reservation: Reservation) -> tuple[str, str, int]:
    found = Reservation.objects.select_related("payment").get(pk=reservation.pk)
    return found.status, found.payments[-1].status, found.payments[-1].amount_captured


class TestBusy:
    def test_an_event_that_cannot_be_stored_now_is_asked_for_again(
        self, confirmed: Reservation, sandbox: Sandbox
    ) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE webhooks_event IN EXCLUSIVE MODE")
            answer = stripe_events.deliver(event)
        other.close()
        assert (answer.status_code, Event.objects.count()) == (503, 0)
        assert stripe_events.deliver(event).status_code == 200
        assert status_of(confirmed)[0] == "paid"


class TestOnce:
    def test_a_doubled_event_has_one_effect(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        for _ in range(3):
            assert stripe_events.deliver(event).json() == {"received": True}
        assert status_of(confirmed) == ("paid", "succeeded", 4500)
        assert Event.objects.count() == 1
        assert History.objects.filter(to_status="paid").count() == 1

    def test_the_same_id_with_another_body_changes_nothing(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        harmless = event | {"type": "customer.created", "data": {"object": {"id": "cus_1"}}}
        assert stripe_events.deliver(harmless).status_code == 200
        assert stripe_events.deliver(event).status_code == 200
        assert status_of(confirmed)[0] == "confirmed"
        assert Event.objects.get().type == "customer.created"

    def test_the_database_tells_when_it_came_whatever_the_web_process_takes_the_time_for(
        self, confirmed: Reservation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ahead = timezone.now() + timedelta(minutes=4)
        monkeypatch.setattr("webhooks.api.views.timezone.now", lambda: ahead)
        stripe_events.deliver(stripe_events.only(sandbox, "payment_intent.succeeded"))
        event = Event.objects.get()
        assert event.received_at == event.processed_at
        assert event.received_at < ahead - timedelta(minutes=3)

    def test_two_events_that_report_one_change(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        stripe_events.deliver(event)
        stripe_events.deliver(event | {"id": "evt_another"})
        assert [row.effect for row in Event.objects.order_by("id")] == ["applied", "already"]
        assert status_of(confirmed) == ("paid", "succeeded", 4500)


class TestOrder:
    def test_of_a_sale_does_not_matter(self, sandbox: Sandbox) -> None:
        kinds = ["payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded"]
        for order in permutations(kinds):
            sandbox.reset()
            slot = SlotFactory.create()
            frontend = Frontend.of(slot)
            made = frontend.reserve(slot).json()["reservation"]
            frontend.post(f"reservations/{made['id']}/confirm")
            for kind in order:
                assert stripe_events.deliver(stripe_events.only(sandbox, kind)).status_code == 200
            found = frontend.get(f"reservations/{made['id']}").json()
            assert (found["reservation"]["status"], found["payment"]["status"]) == ("paid", "succeeded"), order
        promises.hold()

    def test_of_a_cancellation_does_not_matter(self, sandbox: Sandbox) -> None:
        kinds = ["payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.canceled"]
        for order in permutations(kinds):
            sandbox.reset()
            slot = SlotFactory.create()
            frontend = Frontend.of(slot)
            made = frontend.reserve(slot).json()["reservation"]
            frontend.post(f"reservations/{made['id']}/cancel")
            for kind in order:
                assert stripe_events.deliver(stripe_events.only(sandbox, kind)).status_code == 200
            found = frontend.get(f"reservations/{made['id']}").json()
            assert (found["reservation"]["status"], found["payment"]["status"]) == ("cancelled", "canceled"), order
        promises.hold()

    def test_the_end_of_a_hold_is_no_refund(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()
        sandbox.expire(made["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        found = Reservation.objects.get()
        assert (found.status, found.payments[-1].status, found.payments[-1].amount_refunded) == (
            "failed",
            "canceled",
            0,
        )
        slot.refresh_from_db()
        assert slot.reserved == 0
        promises.hold()


class TestKept:
    def test_an_unknown_payment_is_orphaned_and_tried_again(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        intent = event["data"]["object"]
        foreign = intent | {"id": "pi_foreign", "metadata": {}}
        assert stripe_events.deliver(event | {"id": "evt_2", "data": {"object": foreign}}).status_code == 200
        kept = Event.objects.get()
        assert (kept.status, kept.error, kept.attempts) == ("orphaned", "no such payment: pi_foreign", 1)
        assert kept.next_attempt_at is not None
        end_leases()
        assert inbox.retry_due() == 0
        kept.refresh_from_db()
        assert (kept.status, kept.attempts) == ("orphaned", 2)
        assert status_of(confirmed)[0] == "confirmed"

    def test_a_person_is_told_of_a_payment_of_ours_that_nobody_knows_in_the_end(
        self, confirmed: Reservation, sandbox: Sandbox, settings: Settings
    ) -> None:
        settings.EVENT_MAX_ATTEMPTS = 2
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        ours = event["data"]["object"]["metadata"]
        elsewhere = ours | {"holdfast_payment": str(uuid.uuid4()), "holdfast_installation": "another"}
        for number, metadata in enumerate(({}, ours | {"holdfast_payment": str(uuid.uuid4())}, elsewhere), start=1):
            foreign = event["data"]["object"] | {"id": f"pi_{number}", "metadata": metadata}
            stripe_events.deliver(event | {"id": f"evt_{number}", "data": {"object": foreign}})
        registry.run("reconcile")
        assert not Discrepancy.objects.exists(), "it is tried still"
        end_leases()
        assert inbox.retry_due() == 0
        for _ in range(2):
            registry.run("reconcile")
        told = Discrepancy.objects.get()
        assert (told.kind, told.subject, told.operator) == ("event", "evt_2", None)
        assert told.summary == "payment_intent.succeeded: no such payment: pi_2"

    def test_one_that_always_fails_keeps_no_other_waiting(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        foreign = event["data"]["object"] | {"id": "pi_foreign", "metadata": {}}
        for number in range(3):
            stripe_events.deliver(event | {"id": f"evt_{number}", "data": {"object": foreign}})
        end_leases()
        virtual_clock.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'broken'; END$$;"
            "CREATE TRIGGER fails BEFORE UPDATE ON webhooks_event FOR EACH ROW"
            " WHEN (OLD.event_id <> 'evt_2') EXECUTE FUNCTION fail()"
        )
        try:
            inbox.retry_due(limit=1)
        finally:
            virtual_clock.execute("DROP TRIGGER fails ON webhooks_event; DROP FUNCTION fail()")
        tries = dict(Event.objects.values_list("event_id", "attempts"))
        assert tries == {"evt_0": 1, "evt_1": 1, "evt_2": 2}

    def test_an_event_without_our_id_is_found_by_the_providers(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        stripe_events.deliver(event | {"data": {"object": event["data"]["object"] | {"metadata": {}}}})
        assert status_of(confirmed) == ("paid", "succeeded", 4500)

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": 4499, "amount_received": 4499},
            {"currency": "eur"},
            {"amount_received": 0},
            {"amount_received": 4600},
            {"id": "pi_other"},
        ],
    )
    def test_what_contradicts_the_payment_is_kept_for_a_person(
        self, confirmed: Reservation, sandbox: Sandbox, change: dict[str, Any]
    ) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        told = event["data"]["object"] | change
        assert stripe_events.deliver(event | {"data": {"object": told}}).status_code == 200
        kept = Event.objects.get()
        assert kept.status == "failed"
        assert kept.error.startswith("OutcomeMismatchError")
        assert status_of(confirmed) == ("confirmed", "processing", 0)

    @pytest.mark.parametrize(
        ("changes", "error"),
        [({"livemode": True}, "WrongModeError"), ({"account": "acct_other"}, "OutcomeMismatchError")],
    )
    def test_what_comes_from_elsewhere_changes_nothing(
        self, confirmed: Reservation, sandbox: Sandbox, changes: dict[str, Any], error: str
    ) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded") | changes
        assert stripe_events.deliver(event).status_code == 200
        kept = Event.objects.get()
        assert kept.status == "failed"
        assert kept.error.startswith(error)
        assert status_of(confirmed) == ("confirmed", "processing", 0)

    def test_an_event_that_fails_is_kept_and_tried_until_it_works(
        self, confirmed: Reservation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")

        def half_way(**_: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE payments_payment SET failure_message = 'half-way'")
                cursor.execute("SELECT 1/0")

        with monkeypatch.context() as broken:
            broken.setattr(outcomes, "handle", half_way)
            assert stripe_events.deliver(event).status_code == 200
        kept = Event.objects.get()
        assert (kept.status, kept.attempts) == ("failed", 1)
        assert "division by zero" in kept.error
        confirmed.payments[-1].refresh_from_db()
        assert confirmed.payments[-1].failure_message == ""
        end_leases()
        assert inbox.retry_due() == 1
        assert status_of(confirmed) == ("paid", "succeeded", 4500)
        promises.hold()

    def test_it_is_not_tried_for_ever(self, confirmed: Reservation, sandbox: Sandbox, settings: Settings) -> None:
        settings.EVENT_MAX_ATTEMPTS = 3
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        stripe_events.deliver(event | {"livemode": True})
        for _ in range(5):
            end_leases()
            inbox.retry_due()
        kept = Event.objects.get()
        assert (kept.status, kept.attempts, kept.next_attempt_at) == ("failed", 3, None)

    def test_a_person_may_have_it_tried_however_often(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        stripe_events.deliver(stripe_events.only(sandbox, "payment_intent.succeeded") | {"livemode": True})
        Event.objects.update(attempts=60)
        kept = Event.objects.get()
        assert not inbox.retry(event_id=kept.pk)
        kept.refresh_from_db()
        assert (kept.status, kept.attempts, kept.next_attempt_at) == ("failed", 61, None)

    def test_a_poisoned_event_does_not_stop_the_others(
        self, confirmed: Reservation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        with monkeypatch.context() as broken:
            broken.setattr(outcomes, "handle", lambda **_: 1 / 0)
            for number in range(3):
                stripe_events.deliver(event | {"id": f"evt_{number}"})
        first = Event.objects.order_by("id")[0]
        retry = inbox.retry

        def poisoned(*, event_id: Any) -> bool:
            if event_id == first.pk:
                raise DatabaseError("poisoned")
            return retry(event_id=event_id)

        monkeypatch.setattr(inbox, "retry", poisoned)
        end_leases()
        assert inbox.retry_due() == 2
        assert status_of(confirmed) == ("paid", "succeeded", 4500)

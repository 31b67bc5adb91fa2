"""Actions end where they began, say what they did, and are kept with their reason where it happened."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import timezone

from adminkit import actions, links
from adminkit.models import BulkRun
from booking.models import Reservation
from catalogue import slots
from catalogue.models import Slot
from sweeps import registry
from tenants.models import Operator, User
from tests.support.api import Frontend
from tests.support.desk import all_actions, list_of, page_of, sign_in
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create()


@pytest.fixture
def client(operator: Operator) -> Client:
    return sign_in(operator=operator)


@pytest.fixture
def made(operator: Operator) -> list[Slot]:
    activity = ActivityFactory.create(operator=operator)
    return [SlotFactory.create(activity=activity) for _ in range(3)]


def do(
    client: Client,
    rows: list[Any],
    action: str,
    *,
    where: str = "",
    reason: str = "wind",
    more: Any = None,
    **given: Any,
) -> Any:
    """Do an action to rows from their list, filtered as ``where`` says; nothing is followed."""
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows], "reason": reason}
    return client.post(list_of(type(rows[0])) + where, body | given | (more or {}))


def shown(slot: Slot) -> str:
    """Return what a departure is called on a page that goes by its own clock."""
    with timezone.override(slot.activity.timezone):
        return str(slot)


def messages(client: Client, answer: Any) -> list[str]:
    """Return what the page says that an answer leads to."""
    return [str(message) for message in client.get(answer["Location"]).context["messages"]]


class TestWhereItEnds:
    def test_on_the_list_with_its_filters_and_page(self, client: Client, made: list[Slot]) -> None:
        where = "?is_closed__exact=0&p=1&q=kayak"
        assert do(client, made, "close", where=where)["Location"] == list_of(Slot) + where

    def test_on_the_page_of_the_row(self, client: Client, made: list[Slot]) -> None:
        page = f"{page_of(made[0])}?_changelist_filters=is_closed"
        assert f'name="next" value="{page}"' in client.get(page).content.decode()
        asked = client.post(list_of(Slot), {"action": "close", "_selected_action": made[0].pk, "next": page})
        assert f'name="next" value="{page}"' in asked.content.decode()
        answer = do(client, made[:1], "close", next=page)
        assert answer["Location"] == page
        assert messages(client, answer) == [f"{shown(made[0])} is closed to new reservations."]

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/admin/", "//evil.example/admin/", "/\\evil.example", "\\/evil.example",
            "javascript:alert(1)", "/api/v1/docs", "admin/", "/admin/\r\nSet-Cookie: a=b",
            f"/admin/{'x' * 10_000}",
        ],
    )  # fmt: skip
    def test_never_elsewhere(self, client: Client, made: list[Slot], elsewhere: str) -> None:
        answer = do(client, made[:1], "close", next=elsewhere)
        assert answer["Location"] == list_of(Slot)

    def test_a_run_in_the_background_leads_back_too(self, client: Client, made: list[Slot], monkeypatch: Any) -> None:
        monkeypatch.setattr(actions, "AT_ONCE", 2)
        answer = do(client, made, "close", where="?is_closed__exact=0")
        assert answer["Location"].startswith(page_of(BulkRun.objects.get()))
        page = client.get(answer["Location"]).content.decode()
        assert f'href="{list_of(Slot)}?is_closed__exact=0"' in page
        assert "evil" not in client.get(page_of(BulkRun.objects.get()), {"next": "//evil.example/"}).content.decode()

    def test_an_address_of_the_backoffice_is_told_from_others(self) -> None:
        assert links.is_ours("/admin/catalogue/slot/?q=João&p=3")


class TestWhatItSays:
    def test_of_several_how_many_were_done_and_why_others_were_not(self, client: Client, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(activity__operator=Operator.objects.get())
        frontend = Frontend.of(slot)
        for _ in range(3):
            frontend.reserve(slot)
        first, second, third = Reservation.objects.order_by("id")
        frontend.post(f"reservations/{second.pk}/cancel")
        told = messages(client, do(client, [first, second, third], "cancel"))
        assert told[0] == (
            f"Cancel: 2 done, 1 not: {second.reference}: A reservation that is cancelled cannot become cancelled."
        )

    def test_departures_are_counted(self, client: Client, made: list[Slot]) -> None:
        rule = {"weekdays": ["0", "2"], "times": "09:00, 14:00", "first": "2027-03-01", "last": "2027-03-14",
                "duration": "90", "capacity": "8"}  # fmt: skip
        assert messages(client, do(client, [made[0].activity], "generate", more=rule)) == ["8 departures made."]
        told = messages(client, do(client, [made[0].activity], "generate", more=rule))
        assert told == ["0 departures made. 8 left out: the activity already has a departure then."]

    def test_what_is_refused_stands_where_it_was_asked_with_what_was_typed(
        self, client: Client, sandbox: Sandbox
    ) -> None:
        slot = SlotFactory.create(activity__operator=Operator.objects.get())
        Frontend.of(slot).reserve(slot)
        row = Reservation.objects.get()
        answer = do(client, [row], "extend", reason="they are late", minutes="6000", next=page_of(row))
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "at the latest" in page
        for typed in ('value="they are late"', 'value="6000"', f'value="{page_of(row)}"', f'value="{row.pk}"'):
            assert typed in page, typed
        assert not LogEntry.objects.exists()

    @pytest.mark.parametrize("reason", ["", " ", "x" * 501])
    def test_a_reason_that_cannot_be_kept_is_refused(self, client: Client, made: list[Slot], reason: str) -> None:
        answer = do(client, made[:1], "close", reason=reason)
        assert (answer.status_code, "hf-error" in answer.content.decode()) == (200, True)
        made[0].refresh_from_db()
        assert not made[0].is_closed

    def test_a_key_that_is_no_rows_is_none(self, client: Client, made: list[Slot]) -> None:
        for key in ("x", "9" * 10_000):
            body = {"action": "close", "_selected_action": key, "reason": "wind"}
            answer = client.post(list_of(Slot), body)
            assert answer.status_code in (302, 400)
        assert not Slot.objects.filter(is_closed=True).exists()


class TestWhatARowRaises:
    """Whatever a row raises is told in words, stops no other row, and is no error page."""

    def broken(self, monkeypatch: pytest.MonkeyPatch, victim: Slot) -> None:
        """Have the database refuse what is done to one departure."""
        close = slots.close

        def closing(*, slot_id: Any, **why: str) -> None:
            if slot_id == victim.pk:
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO catalogue_slot SELECT * FROM catalogue_slot WHERE id = %s", [slot_id])
            close(slot_id=slot_id, **why)

        monkeypatch.setattr(slots, "close", closing)

    def test_of_a_few(self, client: Client, made: list[Slot], monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, made[1])
        (told, *_) = messages(client, do(client, made, "close"))
        assert told.startswith(
            f"Close to new reservations: 2 done, 1 not: {shown(made[1])}: something went wrong on our side, and it may "
            "be done or not: look at it before you try again (in the log under req_"
        )
        assert "duplicate key" not in told
        assert str(made[1].pk) not in told
        assert Slot.objects.filter(is_closed=True).count() == 2

    def test_of_one(self, client: Client, made: list[Slot], monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, made[1])
        answer = do(client, [made[1]], "close")
        assert answer.status_code == 200
        assert "something went wrong on our side" in answer.content.decode()
        with pytest.raises(IntegrityError):
            slots.close(slot_id=made[1].pk, actor="user:marta", reason="wind")  # so it is broken indeed

    def test_of_many(self, client: Client, made: list[Slot], monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, made[1])
        monkeypatch.setattr(actions, "AT_ONCE", 2)
        do(client, made, "close")
        registry.run("carry_on_bulk_runs")
        run = BulkRun.objects.get()
        assert (run.done, len(run.refusals)) == (2, 1)
        assert run.finished_at is not None
        assert "duplicate key" not in str(run.refusals)

    def test_whatever_the_action(self, sandbox: Sandbox) -> None:
        """Every action, by introspection: one that raises says so in words."""
        sign_in(operator=None)
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        tried = 0
        for model, doing in all_actions():
            row = model._default_manager.first()
            if row is not None:
                page: Any = admin.site._registry[model]
                answer = actions.do(
                    page, row, spec=doing, person=User.objects.get(), reason="x", given={"no_such": "value"}
                )
                assert answer.refused is not None, doing.name
                assert "something went wrong on our side" in answer.refused
                tried += 1
        assert tried >= 10


class TestReasons:
    def test_of_what_has_no_history_of_its_own(self, client: Client, made: list[Slot], monkeypatch: Any) -> None:
        """One by one and in the background: a departure's page tells who closed it, and why."""
        do(client, made[:1], "close", reason="Wind of 30 knots")
        monkeypatch.setattr(actions, "AT_ONCE", 1)
        do(client, made[1:], "close", reason="Wind of 30 knots")
        registry.run("carry_on_bulk_runs")
        for slot in made:
            page = client.get(page_of(slot)).content.decode()
            row = page.split("What people did")[1].split("</section>")[0]
            told = (shown(slot), "is closed to new reservations.", "user:person-of-", "Wind of 30 knots")
            assert [text for text in told if text not in row] == []

    def test_of_what_has_a_timeline(self, client: Client, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(activity__operator=Operator.objects.get())
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        row = Reservation.objects.get()
        registry.run("send_mails")
        do(client, [row.payment], "check_now", reason="The guest asks where it is")
        for shown in (row, row.payment):
            assert "The guest asks where it is" in client.get(page_of(shown)).content.decode(), shown

    def test_an_edit_is_told_too(self, client: Client, made: list[Slot]) -> None:
        slot = SlotFactory.create(activity=made[0].activity, reserved=1)
        assert client.post(page_of(slot), {"capacity": "9"}).status_code == 302
        assert "Changed Capacity." in client.get(page_of(slot)).content.decode().split("What people did")[1]


class TestWhatIsKept:
    def test_a_run_keeps_what_its_form_was_given_and_nothing_else(
        self, client: Client, made: list[Slot], monkeypatch: Any
    ) -> None:
        """The CSRF token of the one who chose it, above all."""
        monkeypatch.setattr(actions, "AT_ONCE", 0)
        rule = {"weekdays": ["0", "2"], "times": "09:00", "first": "2027-03-01", "last": "2027-03-14",
                "duration": "90", "capacity": "8"}  # fmt: skip
        more = {"csrfmiddlewaretoken": "t0ken", "next": list_of(Slot), "password": "hidden"}
        do(client, [made[0].activity], "generate", more=rule | more)
        run = BulkRun.objects.get()
        assert run.given == (
            "weekdays=0&weekdays=2&times=09%3A00&first=2027-03-01&last=2027-03-14&duration=90&capacity=8"
        )
        registry.run("carry_on_bulk_runs")
        run.refresh_from_db()
        assert (run.done, run.refusals) == (1, [])

    def test_a_form_that_does_not_hold_any_more_is_told(self, client: Client, made: list[Slot]) -> None:
        run = BulkRun.objects.create(
            person=User.objects.get(), model="catalogue.activity", action="generate", title="Generate", reason="x",
            rows=[str(made[0].activity_id)], given="times=09%3A00",
        )  # fmt: skip
        registry.run("carry_on_bulk_runs")
        run.refresh_from_db()
        assert run.done == 0
        assert "This field is required." in run.refusals[0]

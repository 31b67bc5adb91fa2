"""An operator never sees or touches what is another's (P10): every address, action, choice and operation, found by
introspection, with another operator's rows. What is added without its scope is found here."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from pytest_django import Settings

from adminkit.models import BulkRun, SavedView
from adminkit.spec import spec_of
from booking.models import History, Reservation, Unit
from catalogue.models import Activity, Slot
from catalogue.offer_history import OfferHistory
from config.urls import urlpatterns as real_patterns
from notifications.models import Mail
from payments.models import CheckAttempt, CheckResult, Command, Payment, PaymentHistory, Refund, RefundHistory
from reconciliation.models import Discrepancy
from sweeps import registry
from sweeps.models import SweepRun
from tenants.models import ApiClient, Member, Operator, Role, User
from tests.support import stripe_events, walking
from tests.support.api import Frontend
from tests.support.desk import act, sign_in
from tests.support.discrepancies import open_one
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

OWNED: tuple[type[Model], ...] = (
    Operator, Member, ApiClient, SavedView, BulkRun, Activity, Slot, Reservation, Unit, History, Payment,
    PaymentHistory, Command, Refund, Event, Mail, Discrepancy, CheckAttempt, OfferHistory,
    RefundHistory,
)  # fmt: skip
"""Everything that belongs to an operator."""


@pytest.fixture
def theirs(sandbox: Sandbox) -> dict[type[Model], list[Any]]:
    """Rows of everything at an operator whose names are all unseen."""
    operator = OperatorFactory.create(name="Unseen operator", slug="unseen")
    slot = SlotFactory.create(activity__operator=operator, activity__name="Unseen activity")
    frontend = Frontend.of(slot)
    guest = {"name": "Unseen Guest", "email": "unseen@example.com"}
    paid = frontend.reserve(slot, capture_method="automatic", customer=guest).json()
    frontend.reserve(slot, customer=guest)
    stripe_events.deliver_all(sandbox)
    frontend.post("refunds", {"payment_id": paid["payment"]["id"], "amount": 100})
    registry.run("send_mails")
    open_one(Payment.objects.get(pk=paid["payment"]["id"]), summary="Unseen difference", seen={"error": "Unseen"})
    person = User.objects.create_user("unseen-person", is_staff=True)
    Member.objects.create(user=person, operator=operator, role=Role.OWNER)
    SavedView.objects.create(person=person, model="catalogue.slot", name="Unseen view", query="x=1")
    BulkRun.objects.create(
        person=person, model="catalogue.slot", action="close", title="Unseen", reason="Unseen", rows=["x"]
    )
    CheckAttempt.objects.create(
        payment_id=paid["payment"]["id"], number=9, result=CheckResult.FAILED, at=timezone.now()
    )
    lost = stripe_events.happened(sandbox, "payment_intent.created")[0]
    of_nobody = lost["data"]["object"] | {"id": "pi_unseen", "metadata": {}}
    stripe_events.deliver(lost | {"id": "evt_unseen", "data": {"object": of_nobody}})
    open_one(None, summary="Unseen hold")
    assert walking.write_errors("Unseen error of unseen@example.com") >= TOLD
    found = {model: list(model._default_manager.all()) for model in OWNED}
    assert all(found.values()), {model for model, rows in found.items() if not rows}
    return found


TOLD = {
    "Event.error",
    "CheckAttempt.error",
    "Command.last_error",
    "Mail.last_error",
    "BulkRun.refusals",
    "Payment.stuck_because",
}
"""Columns with the words of errors; those of a discrepancy are fixed, and told as it is opened."""


def keys_of(theirs: dict[type[Model], list[Any]]) -> list[Any]:
    """Return one key of each kind."""
    return [rows[0].pk for rows in theirs.values()]


def marks_of(theirs: dict[type[Model], list[Any]]) -> set[str]:
    """Return what nobody else may read: names, ids, references."""
    marks = {"Unseen", "unseen@example.com", "unseen-person"}
    marks |= {str(row.pk) for rows in theirs.values() for row in rows if isinstance(row.pk, uuid.UUID)}
    marks |= {row.reference for row in theirs[Reservation]} | {row.provider_ref for row in theirs[Payment]}
    return marks | {row.event_id for row in theirs[Event]} | {row.key_prefix for row in theirs[ApiClient]}


def snapshot(theirs: dict[type[Model], list[Any]]) -> list[Any]:
    return [list(model._default_manager.filter(pk__in=[row.pk for row in rows]).order_by("pk").values())
            for model, rows in theirs.items()]  # fmt: skip


@pytest.fixture
def stranger(theirs: dict[type[Model], list[Any]]) -> Client:
    """The owner of another operator, who has a departure."""
    operator = OperatorFactory.create()
    SlotFactory.create(activity__operator=operator)
    return sign_in(operator=operator, role=Role.OWNER)


@pytest.fixture
def frontend(theirs: dict[type[Model], list[Any]]) -> Frontend:
    """Another operator's frontend."""
    return Frontend.of(SlotFactory.create())


class TestBackoffice:
    def test_no_address_tells_anything(self, theirs: dict[type[Model], list[Any]], stranger: Client) -> None:
        paths = list(walking.addresses("admin/", keys_of(theirs)))
        assert len(paths) > 1_000
        paths += ["/admin/search/?extended=1&s=unseen", *(f"/admin/search/?s={mark}" for mark in marks_of(theirs))]
        assert list(walking.look(stranger, paths, marks_of(theirs))) == []

    def test_no_sweep_says_of_its_failure_whose_row_it_was(
        self, theirs: dict[type[Model], list[Any]], stranger: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused() -> int:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE booking_reservation SET places = 0")  # PostgreSQL tells the row that it refuses
            return 0

        for name, sweep in registry.SWEEPS.items():
            monkeypatch.setitem(registry.SWEEPS, name, replace(sweep, run=refused))
            with pytest.raises(Exception, match=r"violates|failed|ended"):
                registry.run(name)
        runs = SweepRun.objects.exclude(error="")
        assert runs.count() == len(registry.SWEEPS)
        assert "Failing row" not in "".join(run.error for run in runs)
        paths = ["/admin/", "/admin/sweeps/sweeprun/", *(f"/admin/sweeps/sweeprun/{run.pk}/change/" for run in runs)]
        assert list(walking.look(stranger, paths, marks_of(theirs))) == []

    def test_nor_does_a_list_that_is_asked_in_a_clever_way(
        self, theirs: dict[type[Model], list[Any]], stranger: Client
    ) -> None:
        queries = ["q=unseen", "operator__slug=unseen", "operator__name__startswith=U", "e=1", "all=1", "on=2026"]
        queries += [
            f"{model._meta.model_name}__id__exact={row.pk}" for model in (Operator, Activity) for row in theirs[model]
        ]
        lists = [path for path in walking.addresses("admin/", ["x"]) if path.count("/") == 4]
        paths = [f"{where}?{query}" for where in lists for query in queries]
        paths += [f"{where}export/?{query}" for where in lists for query in queries[:2]]
        assert list(walking.look(stranger, paths, marks_of(theirs))) == []

    def test_no_choice_of_a_form_is_theirs(self, theirs: dict[type[Model], list[Any]], stranger: Client) -> None:
        paths = list(walking.related(admin.site._registry))
        assert len(paths) > 30
        assert list(walking.look(stranger, paths, marks_of(theirs))) == []

    def test_no_action_touches_anything(self, theirs: dict[type[Model], list[Any]], stranger: Client) -> None:
        before = snapshot(theirs)
        tried = 0
        more = {"minutes": "5", "amount": "1", "slot_id": str(theirs[Slot][0].pk)}
        for model, page in admin.site._registry.items():
            for action in page.actions or ():
                spec = spec_of(action)
                for row in theirs.get(model, ()) if spec else ():
                    assert spec is not None
                    act(stranger, row, spec.name, "because")
                    body = {"action": spec.name, "_selected_action": str(row.pk), "reason": "because", **more}
                    stranger.post(f"/admin/{model._meta.label_lower.replace('.', '/')}/", body)
                    tried += 1
        assert tried > 30
        assert snapshot(theirs) == before

    def test_no_form_that_is_posted_changes_anything(
        self, theirs: dict[type[Model], list[Any]], stranger: Client
    ) -> None:
        before = snapshot(theirs)
        body = {
            "operator": str(theirs[Operator][0].pk),
            "activity": str(theirs[Activity][0].pk),
            "name": "x",
            "post": "yes",
        }
        for where in walking.addresses("admin/", keys_of(theirs)):
            if "logout" not in where and "password" not in where:
                told = walking.visit(stranger, where, body)
                assert list(walking.told(marks_of(theirs) - set(body.values()), where, told)) == []
        assert snapshot(theirs) == before


class TestApi:
    def test_no_address_tells_anything(self, theirs: dict[type[Model], list[Any]], frontend: Frontend) -> None:
        paths = [path for path in walking.addresses("api/v1/", keys_of(theirs)) if "/schema" not in path]
        assert len(paths) > 150
        assert list(walking.look(frontend.http, paths, marks_of(theirs))) == []

    def test_no_filter_tells_anything(self, theirs: dict[type[Model], list[Any]], frontend: Frontend) -> None:
        lists = [path for path in walking.addresses("api/v1/", ["x"]) if "/x" not in path and "/schema" not in path]
        names = ("slot_id", "resource_id", "payment_id", "reservation_id", "customer_id")
        paths = [f"{where}?{name}={key}" for where in lists for name in names for key in keys_of(theirs)]
        assert list(walking.look(frontend.http, paths, marks_of(theirs))) == []

    def test_no_operation_touches_anything(self, theirs: dict[type[Model], list[Any]], frontend: Frontend) -> None:
        before = snapshot(theirs)
        keys = [key for key in keys_of(theirs) if isinstance(key, uuid.UUID)]
        tried = 0
        for (method, template), found in walking.bodies(keys).items():
            for where in {template} if "{" not in template else {walking_fill(template, key) for key in keys}:
                for body in found if "{" not in template else found[:1]:
                    call = getattr(frontend, method)
                    answer = call(where.removeprefix("/api/v1/"), body)
                    assert answer.status_code in (400, 403, 404, 409, 422) or "{" not in template, (method, where)
                    leaks = walking.told(marks_of(theirs), f"{where} {body}", answer.content)
                    assert list(leaks) == [], (method, where)
                    tried += 1
        assert tried > 100
        assert snapshot(theirs) == before


def walking_fill(template: str, key: uuid.UUID) -> str:
    """Put a key into a path of the schema."""
    return template.split("{")[0] + str(key) + template.split("}")[1]


def leaky_list(request: HttpRequest) -> JsonResponse:
    """An endpoint whose author has forgotten the scope."""
    return JsonResponse(list(Reservation.objects.values("id", "customer_name")), safe=False)


def leaky_row(request: HttpRequest, reservation_id: uuid.UUID) -> JsonResponse:
    """Another one, which needs to be asked for the right row."""
    return JsonResponse({"name": Reservation.objects.filter(pk=reservation_id).values_list("customer_name").first()})


urlpatterns = [
    path("api/v1/leaky", leaky_list),
    path("api/v1/leaky/<uuid:reservation_id>", leaky_row),
    path("admin/leaky/", leaky_list),
    *real_patterns,
]


class TestWalk:
    """The walk itself: what has forgotten its scope is found."""

    @pytest.fixture(autouse=True)
    def with_leaks(self, settings: Settings) -> None:
        settings.ROOT_URLCONF = __name__

    def test_finds_an_endpoint_that_forgets_its_scope(
        self, theirs: dict[type[Model], list[Any]], frontend: Frontend, stranger: Client
    ) -> None:
        paths = [path for path in walking.addresses("api/v1/", keys_of(theirs)) if "/schema" not in path]
        found = {leak.request for leak in walking.look(frontend.http, paths, marks_of(theirs))}
        assert found == {"/api/v1/leaky", f"/api/v1/leaky/{theirs[Reservation][0].pk}"}
        paths = list(walking.addresses("admin/leaky", keys_of(theirs)))
        assert list(walking.look(stranger, paths, marks_of(theirs)))

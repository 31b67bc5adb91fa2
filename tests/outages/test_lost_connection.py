"""The database lost in the middle of a request, at each statement: 503, never 500, and a repeat ends well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from booking.models import Reservation
from sweeps import registry as sweeps
from tenants.models import User
from tests.support import promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.desk import sign_in
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

ANSWERED = frozenset((201, 202))
"""Made; the second where the provider's answer came, and could not be noted: a sweep asks again."""

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def lost_at(statement: int) -> Iterator[list[str]]:
    """Have the server end our connection just before a statement, as a restart does; yields what was sent."""
    sent: list[str] = []
    raw: Any = connection

    def send(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        sent.append(sql)
        if len(sent) == statement:
            with psycopg.connect(**_address(), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.connection.info.backend_pid])
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(send):
            yield sent
    finally:
        connection.close()  # as the end of each request does


def _address() -> dict[str, Any]:
    given = connection.settings_dict
    return {"dbname": given["NAME"], "user": given["USER"], "host": given["HOST"], "port": str(given["PORT"])}


class TestApi:
    def test_a_reservation_is_refused_for_now_and_its_repeat_ends_well(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=100)
        frontend = Frontend.of(slot)
        statement, refused = 0, 0
        while True:
            statement += 1
            with lost_at(statement) as sent:
                answer = frontend.reserve(slot, key=f"key-{statement}")
            if len(sent) < statement:
                break
            if answer.status_code not in ANSWERED:
                assert (answer.status_code, answer["Retry-After"]) == (503, "2"), answer.content
                assert answer.json()["error"]["code"] == "unavailable"
                refused += 1
            end_leases()
            assert frontend.reserve(slot, key=f"key-{statement}").status_code in ANSWERED, sent[-1]
        assert statement > 8
        assert refused > 6
        end_leases()
        sweeps.run("send_commands")
        assert set(Reservation.objects.values_list("status", flat=True)) == {"pending"}
        assert Reservation.objects.count() == statement
        assert len(sandbox.payment_intents()) == statement
        promises.hold(at_provider=True)

    def test_a_list_is_refused_for_now(self) -> None:
        frontend = Frontend.of(SlotFactory.create())
        for statement in (1, 2):
            with lost_at(statement):
                answer = frontend.get("slots")
            assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        assert frontend.get("slots").status_code == 200


class TestWebhook:
    def test_an_event_is_asked_for_again(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        event = stripe_events.happened(sandbox)[-1]
        statement = 0
        while True:
            statement += 1
            with lost_at(statement) as sent:
                answer = stripe_events.deliver(event)
            if len(sent) < statement:
                break
            assert (answer.status_code, answer["Retry-After"]) == (503, "2"), sent[-1]
            assert not Event.objects.exists()
        assert answer.status_code == 200
        assert Event.objects.count() == 1


class TestDesk:
    def test_every_list_says_so_by_a_page(self) -> None:
        client: Client = sign_in(operator=None)
        client.raise_request_exception = False
        for model in admin.site._registry:
            meta = model._meta
            for statement in (4,):
                with lost_at(statement) as sent:
                    answer = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))
                if len(sent) >= statement:
                    assert (answer.status_code, answer["Retry-After"]) == (503, "2"), model
                    assert b"Nothing was changed" in answer.content

    def test_so_does_a_middleware(self, settings: Settings) -> None:
        """A fault of a middleware goes another way than a view's: here, of the session that is saved at the end."""
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        settings.LOGIN_RATE = settings.LOGIN_NAME_RATE = "1000/min"
        User.objects.create_user("marta", password="right", is_staff=True)
        client = Client(raise_request_exception=False)
        answers: list[tuple[int, str | None]] = []
        while (302, None) not in answers and len(answers) < 50:
            with lost_at(len(answers) + 1):
                answer = client.post("/admin/login/", {"username": "marta", "password": "right"})
            answers.append((answer.status_code, answer.get("Retry-After")))
        assert len(answers) > 5
        assert set(answers[:-1]) == {(503, "2")}

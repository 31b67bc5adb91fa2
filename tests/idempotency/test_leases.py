"""Who has a key, for how long, and what the other of two runs is told."""

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.models.functions import Now
from django.http import HttpResponse

from booking import reserving
from booking.models import Reservation
from common import processes
from common.errors import BusyError
from idempotency import ending, keys
from idempotency.errors import KeyInUseError
from idempotency.models import IdempotencyKey
from payments import commands
from payments.models import Command
from sweeps import leases
from tests.support import servers
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.environment import ROOT
from tests.support.factories import SlotFactory, make_client
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "from common import processes; print(processes.own())"


@pytest.fixture(scope="module")
def dead() -> str:
    """The name of a process that has ended."""
    return subprocess.run(
        [sys.executable, "-c", NAME], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


class TestProcess:
    def test_is_known_to_live_or_to_be_gone(self, dead: str) -> None:
        assert (processes.is_gone(processes.own()), processes.is_gone(dead)) == (False, True)

    def test_that_cannot_be_seen_is_taken_to_live(self, dead: str) -> None:
        host, boot, space, pid, start = dead.split(" ")
        assert not processes.is_gone("")
        assert not processes.is_gone(" ".join(("elsewhere", boot, space, pid, start)))
        assert not processes.is_gone(" ".join((host, boot, "pid:[1]", pid, start)))
        assert processes.is_gone(" ".join((host, "an-earlier-boot", space, pid, start)))
        assert processes.is_gone_before(" ".join((host, boot, "pid:[1]", pid, start)))

    def test_of_the_same_number_is_another(self) -> None:
        host, boot, space, pid, start = processes.own().split(" ")
        assert processes.is_gone(" ".join((host, boot, space, pid, str(int(start) - 1))))


def run_beside(work: Callable[[], HttpResponse]) -> HttpResponse:
    """Run a request in a thread of its own, to its end."""
    answers = []

    def run() -> None:
        try:
            answers.append(work())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    return answers[0]


def interrupt(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any], then: BaseException | None = None) -> None:
    """Let something happen at the end of the next run, and let it fail after that."""
    result = reserving._result

    def slow(*given: Any, **known: Any) -> reserving.Reserved:
        monkeypatch.setattr(reserving, "_result", result)
        meanwhile()
        if then is not None:
            raise then
        return result(*given, **known)

    monkeypatch.setattr(reserving, "_result", slow)


class TestTwoRuns:
    """A run is slow, and its key is taken over; the other one runs at a point inside it."""

    @pytest.mark.parametrize("then", [None, ZeroDivisionError()], ids=["answers", "fails"])
    def test_give_one_answer(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, then: Exception | None) -> None:
        slot = SlotFactory.create()
        frontend, told = Frontend.of(slot), []

        def retry() -> None:
            end_leases()
            told.append(run_beside(lambda: Frontend(frontend.key).reserve(slot, key="once")))

        interrupt(monkeypatch, retry, then)
        first, replay = frontend.reserve(slot, key="once"), frontend.reserve(slot, key="once")
        assert first.content == told[0].content == replay.content
        assert (first.status_code, first["Idempotent-Replayed"]) == (201, "true")
        assert Reservation.objects.count() == 1

    def test_the_slow_one_waits_for_the_answer_of_the_other(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)

        def take_over() -> None:
            IdempotencyKey.objects.update(claim_id="00000000-0000-0000-0000-000000000000")

        interrupt(monkeypatch, take_over)
        first = frontend.reserve(slot, key="once")
        assert (first.status_code, first.json()["error"]["code"]) == (409, "idempotency_key_in_use")
        assert 50 < int(first["Retry-After"]) <= 60
        assert IdempotencyKey.objects.get().status_code is None
        end_leases()
        again = frontend.reserve(slot, key="once")
        assert (again.status_code, Reservation.objects.count()) == (201, 1)

    def test_a_retry_that_is_busy_does_not_forget_what_was_made(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        for failing in (ZeroDivisionError(), BusyError()):
            interrupt(monkeypatch, lambda: None, failing)
            assert frontend.reserve(slot, key="once").status_code in (500, 409)
        assert frontend.reserve(slot, key="once").status_code == 201
        assert (Reservation.objects.count(), len(sandbox.payment_intents())) == (1, 1)


class TestEnd:
    def test_comes_with_the_run_also_if_the_process_ends(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        interrupt(monkeypatch, lambda: None, SystemExit())
        with pytest.raises(SystemExit):
            frontend.reserve(slot, key="once")
        assert frontend.reserve(slot, key="once").status_code == 201
        assert Reservation.objects.count() == 1

    def test_is_made_up_for_when_the_database_is_back(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        client, _ = make_client(SlotFactory.create().activity.operator)
        claim = keys.claim(client=client, key="once", method="POST", path="/x", body=b"")
        assert isinstance(claim, keys.Claim)
        end_lease = keys.end_lease
        refused: list[keys.Claim] = []

        def away_for_a_while(*, claim: keys.Claim) -> bool:
            if len(refused) < 3:
                refused.append(claim)
                raise OperationalError("the database is away")
            return end_lease(claim=claim)

        monkeypatch.setattr(keys, "end_lease", away_for_a_while)
        monkeypatch.setattr(ending, "_PAUSE_SECONDS", 0.01)
        assert ending.end(claim)
        servers.wait("the lease ends", lambda: IdempotencyKey.objects.filter(leased_until__lte=Now()).exists())

    def test_is_told_truly(self, sandbox: Sandbox) -> None:
        client, _ = make_client(SlotFactory.create().activity.operator)
        given: dict[str, Any] = {"client": client, "key": "once", "method": "POST", "path": "/x", "body": b""}
        keys.claim(**given)
        IdempotencyKey.objects.update(leased_until=Now() + timedelta(seconds=17))
        with pytest.raises(KeyInUseError) as refused:
            keys.claim(**given)
        assert refused.value.retry_after in (16, 17)

    def test_does_not_wait_for_a_process_that_is_gone(self, sandbox: Sandbox, dead: str) -> None:
        client, _ = make_client(SlotFactory.create().activity.operator)
        given: dict[str, Any] = {"client": client, "key": "once", "method": "POST", "path": "/x", "body": b""}
        first = keys.claim(**given)
        assert isinstance(first, keys.Claim)
        IdempotencyKey.objects.update(leased_by=dead)
        again = keys.claim(**given)
        assert isinstance(again, keys.Claim)
        assert again.operation == keys.Operation(first.operation.id, resumed=True)
        with pytest.raises(KeyInUseError):
            keys.claim(**given)

    def test_of_what_was_left_behind_comes_with_the_next_start(self, sandbox: Sandbox, dead: str) -> None:
        slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", "drop_answer")
        Frontend.of(slot).reserve(slot)
        end_leases()
        assert commands.claim(command_id=Command.objects.get().pk) is not None
        client, _ = make_client(slot.activity.operator)
        keys.claim(client=client, key="other", method="POST", path="/x", body=b"")
        leases.free_left_behind()
        running = (
            Command.objects.filter(leased_until__gt=Now()),
            IdempotencyKey.objects.filter(leased_until__gt=Now(), status_code=None),
        )
        assert [each.count() for each in running] == [1, 1], "this process lives"
        Command.objects.update(leased_by=dead)
        IdempotencyKey.objects.update(leased_by=dead)
        leases.free_left_behind()
        assert [each.count() for each in running] == [0, 0]
        assert [found.row for found in commands.list_due(limit=5)] == [Command.objects.get()]

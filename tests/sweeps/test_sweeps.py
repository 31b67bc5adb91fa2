"""The sweeps: scheduled once however many workers start, safe when two run, each a command, and their health."""

import json
import traceback
from io import StringIO

import pytest
from django.core.management import call_command, get_commands
from django_q.models import OrmQ, Schedule

from booking.models import Reservation
from common import loops
from sweeps import registry, scheduling
from sweeps.models import SweepRun
from tests.support import promises
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


FOR_PEOPLE = {"reconcile", "recover_events", "settle", "verify"}
"""These tell more than a number: tests/reconciliation/test_commands.py."""


class TestScheduling:
    def test_is_the_same_however_often_it_is_done(self) -> None:
        Schedule.objects.create(name="sweep:of_old", func="gone")
        Schedule.objects.create(name="somebody else's", func="theirs")
        race([scheduling.schedule_all] * 4)
        names = sorted(Schedule.objects.values_list("name", flat=True))
        assert names == sorted([f"sweep:{name}" for name in registry.SWEEPS] + ["somebody else's"])

    def test_changed_intervals_are_taken_over(self) -> None:
        scheduling.schedule_all()
        Schedule.objects.update(minutes=99)
        scheduling.schedule_all()
        found = dict(Schedule.objects.values_list("name", "minutes"))
        assert found == {f"sweep:{sweep.name}": sweep.minutes for sweep in registry.SWEEPS.values()}

    def test_a_worker_that_starts_queues_each_once(self) -> None:
        scheduling.run_all_soon()
        assert OrmQ.objects.count() == len(registry.SWEEPS)
        registry.run("verify")
        scheduling.run_all_soon()
        assert OrmQ.objects.count() == 2 * len(registry.SWEEPS) - 1, "what is done once a day was done"


class TestCommands:
    def test_each_sweep_is_a_command(self) -> None:
        assert set(registry.SWEEPS) <= set(get_commands())

    @pytest.mark.parametrize("name", sorted(set(registry.SWEEPS) - FOR_PEOPLE))
    def test_its_command_is_a_run_of_it(self, sandbox: Sandbox, name: str) -> None:
        out = StringIO()
        call_command(name, stdout=out)
        assert out.getvalue().strip() == f"{name}: 0"
        run = SweepRun.objects.get(name=name)
        assert run.finished_at is not None
        assert run.finished_at >= run.started_at

    def test_expiry_releases_at_the_provider_too(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        made = Frontend.of(slot).reserve(slot).json()["reservation"]
        run_out(made["id"])
        out = StringIO()
        call_command("expire_reservations", stdout=out)
        assert out.getvalue().strip() == "expire_reservations: 1"
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        assert Reservation.objects.get().status == "expired"
        promises.hold(at_provider=True)

    def test_a_sweep_that_fails_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> int:
            raise RuntimeError("the disk is full")

        broken = registry.Sweep(name="send_commands", run=fail, minutes=1)
        monkeypatch.setitem(registry.SWEEPS, "send_commands", broken)
        with pytest.raises(registry.SweepFailedError) as failed:
            registry.run("send_commands")
        run = SweepRun.objects.get(name="send_commands")
        assert (run.error, run.finished_at) == ("RuntimeError: it ended early; the log says where.", None)
        assert "disk" not in "".join(traceback.format_exception(failed.value))  # what the queue keeps and shows

    def test_rows_that_fail_are_counted_by_class_and_the_sweep_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(row: int) -> None:
            if row:
                raise ValueError("row of Ana Souza")

        def work() -> int:
            return loops.each([0, 1, 2], refuse, name="tests").done

        monkeypatch.setitem(registry.SWEEPS, "settle", registry.Sweep(name="settle", run=work, minutes=1))
        assert registry.run("settle") == 1
        run = SweepRun.objects.get(name="settle")
        assert (run.handled, run.error) == (1, "2 of 3 failed (ValueError ×2)")
        assert run.finished_at is not None


class TestVerify:
    def test_says_that_every_promise_holds(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        out = StringIO()
        call_command("verify", "--provider", "--json", stdout=out)
        verdicts = json.loads(out.getvalue())
        numbers = [verdict["promise"] for verdict in verdicts]
        assert numbers == ["P1", "P2", "P3", "P4", "P5", "P7", "P8", "P11", "P12", "P13", "P7"]
        assert all(verdict["holds"] for verdict in verdicts)

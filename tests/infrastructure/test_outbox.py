"""Every outbound call: one sender at a time, none lost when one dies, none recorded twice, and a person in the end.

Shown with mails, on real connections. What commands add is in ``test_commands.py`` and ``test_fences.py`` of payments.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import IntegrityError, connection
from django.db.models import F, Q
from django.db.models.functions import Now
from pytest_django import Settings

from common import database
from common.errors import BusyError
from common.outbox import Outbox
from notifications import sending
from notifications.models import Mail
from notifications.sending import OUTBOX
from sweeps import leases
from tests.support.aging import end_leases
from tests.support.dying import run_and_die
from tests.support.factories import OperatorFactory
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)

IN_ORDER = Outbox(
    model=Mail,
    open=OUTBOX.open,
    lease=OUTBOX.lease,
    most_attempts=OUTBOX.most_attempts,
    first_delay=OUTBOX.first_delay,
    longest_delay=OUTBOX.longest_delay,
    in_order_of="operator",
    first=Q(kind="dispute"),
)
"""The mails of an operator one after the other, as the commands of a payment are; one of a dispute goes first."""


def write(cause: str = "one", **fields: Any) -> Mail:
    """Write a mail that is due."""
    facts = {"number": 1, "found": [{"subject": "pi_1", "summary": "differs"}], "operator": "Kayaks"}
    told = {"kind": "person_needed", "to": ["marta@example.com"], "language": "en", "facts": facts}
    return Mail.objects.create(cause=cause, **(told | {"created_at": Now(), "next_attempt_at": Now()} | fields))


def claim(mail: Mail) -> Mail:
    """Claim a mail that is due."""
    claimed = OUTBOX.claim(mail.pk)
    assert claimed is not None
    return claimed


def claim_twice(mail: Mail) -> tuple[Mail, Mail]:
    """Have a mail claimed by a sender that is too slow, and by another after it."""
    slow = claim(mail)
    end_leases()
    return slow, claim(mail)


def row(mail: Mail) -> dict[str, Any]:
    return dict(Mail.objects.values().get(pk=mail.pk))


def record(mail: Mail, *, fence: tuple[str, ...] | None = ("attempts",)) -> bool:
    """Record that a claimed mail was sent, and say whether that was written."""
    with database.use_case():
        mail.note_sent(at=database.now())
        if fence is None:
            database.update_together((mail, Mail.RESULT_FIELDS))
            return True
        return database.update_together(fenced=OUTBOX.fenced(mail, Mail.RESULT_FIELDS, fence=fence)) is not None


class TestClaim:
    def test_of_many_at_once_goes_to_one(self) -> None:
        mail = write()
        claimed = race([lambda: OUTBOX.claim(mail.pk)] * 6)
        assert len([one for one in claimed if one is not None]) == 1
        assert row(mail)["attempts"] == 1

    def test_that_asks_before_it_writes_goes_to_several(self) -> None:
        """The control: what one statement is for."""
        mail, together = write(), threading.Barrier(2)

        def claim_in_two_steps() -> bool:
            is_due = OUTBOX.due().filter(pk=mail.pk).exists()
            together.wait(timeout=60)
            return is_due and bool(Mail.objects.filter(pk=mail.pk).update(attempts=F("attempts") + 1))

        assert race([claim_in_two_steps] * 2) == [True, True]

    def test_waits_for_nobody(self) -> None:
        mail = write()
        with database.use_case():
            Mail.objects.select_for_update(no_key=True).get(pk=mail.pk)
            assert race([lambda: OUTBOX.claim(mail.pk)]) == [None]
        assert claim(mail).attempts == 1

    def test_is_a_number_a_lease_and_a_process(self) -> None:
        claimed = claim(write())
        assert claimed.leased_until is not None
        assert timedelta(minutes=4, seconds=50) < claimed.leased_until - database.now() <= timedelta(minutes=5)
        assert (claimed.attempts, row(claimed)) == (1, {name: getattr(claimed, name) for name in row(claimed)})
        assert OUTBOX.claim(claimed.pk) is None
        assert not OUTBOX.due().exists()
        end_leases()
        assert claim(claimed).attempts == 2

    def test_comes_back_with_its_own_number_however_slow(self) -> None:
        mail, overtaken = write(), list[Mail]()

        def overtake(execute: Callable[..., Any], *given: Any) -> Any:
            result = execute(*given)
            if not overtaken:
                race([end_leases])
                overtaken.extend(race([lambda: claim(mail)]))
            return result

        with connection.execute_wrapper(overtake):
            slow = claim(mail)
        assert (slow.attempts, overtaken[0].attempts) == (1, 2)
        assert (record(slow), record(overtaken[0])) == (False, True)

    def test_has_its_time(self) -> None:
        mail = write(next_attempt_at=Now() + timedelta(minutes=1))
        assert OUTBOX.claim(mail.pk) is None
        assert OUTBOX.claim(write("sent", status="sent", sent_at=Now()).pk) is None


class TestFence:
    def test_lets_the_latest_claim_record_and_no_other(self) -> None:
        slow, living = claim_twice(write())
        before = row(living)
        assert not record(slow)
        assert row(living) == before
        assert record(living)
        assert row(living)["status"] == "sent"

    def test_is_what_keeps_a_second_record_out(self) -> None:
        """The control: without it both write, and the slow one takes the lease of the living one away."""
        slow, living = claim_twice(write())
        assert record(slow, fence=None)
        assert row(living)["leased_until"] is None
        assert record(living, fence=None)

    def test_never_comes_back(self) -> None:
        mail = claim(write())
        for taken_back in ({"attempts": 0}, {"extra_attempts": F("extra_attempts") - 1}):
            with pytest.raises(IntegrityError):
                Mail.objects.filter(pk=mail.pk).update(**taken_back)
        assert row(mail)["attempts"] == 1


class TestDeath:
    def test_at_each_boundary_loses_no_mail_and_makes_no_other(self, settings: Settings, tmp_path: Path) -> None:
        """Around the claim, and between sending and recording: it goes out, and twice only as the same message."""
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        settings.EMAIL_FILE_PATH = str(tmp_path)
        mails = []
        for at in count(1):
            mails.append(write(str(at)))
            if not run_and_die(sending.send_due, at=at):
                break
            assert sending.send_due() in (0, 1), "a lease that its process left may still run"
            leases.free_left_behind()
            sending.send_due()
        assert set(Mail.objects.values_list("status", flat=True)) == {"sent"}
        lines = [line for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
        sent = Counter(line.partition("<")[2].split(".")[0] for line in lines if line.startswith("Message-ID:"))
        assert set(sent) == {str(mail.pk) for mail in mails}
        assert set(sent.values()) == {1, 2}, "some died before it was handed over, and some after"

    def test_is_found_by_the_next_process_of_the_machine(self) -> None:
        mail = claim(write())
        leases.free_left_behind()
        assert OUTBOX.claim(mail.pk) is None, "this process lives"
        host, boot, namespace, pid, started = mail.leased_by.split(" ")
        Mail.objects.update(leased_by=" ".join((host, boot, namespace, pid, f"{started}1")))
        leases.free_left_behind()
        assert claim(mail).attempts == 2


class TestRetry:
    def test_comes_later_each_time_and_never_too_late(self) -> None:
        mail, at = write(), database.now()
        for attempts, longest in ((1, 60), (2, 120), (6, 1920), (7, 3600), (10**6, 3600)):
            mail.attempts = attempts
            seconds = (OUTBOX.retry_at(mail, at=at) - at).total_seconds()
            assert longest / 2 <= seconds <= longest
        assert 600 <= (OUTBOX.retry_at(mail, at=at, asked=600.0) - at).total_seconds() <= 1200
        mail.extra_attempts = mail.attempts - 1
        assert (OUTBOX.retry_at(mail, at=at) - at).total_seconds() <= 60, "a round begins anew"

    def test_ends_with_a_person(self, mailoutbox: list[EmailMessage]) -> None:
        deadly, good = write("deadly", attempts=199), write("good")
        claim(deadly)
        assert not OUTBOX.exhausted().exists(), "its sender lives"
        end_leases()
        assert OUTBOX.claim(deadly.pk) is None
        assert sending.send_due() == 1
        assert (row(good)["status"], row(good)["last_error"]) == ("sent", "")
        given_up = row(deadly)
        assert (given_up["status"], given_up["next_attempt_at"]) == ("given_up", None)
        assert given_up["last_error"] == "its sender died each time"
        sending.send_again(mail_id=deadly.pk)
        assert sending.send_due() == 1
        assert (row(deadly)["status"], row(deadly)["attempts"], len(mailoutbox)) == ("sent", 201, 2)

    def test_of_a_poisoned_row_stops_no_other(self, mailoutbox: list[EmailMessage]) -> None:
        poisoned, *good = write("poisoned", facts={}), write("two"), write("three")
        assert sending.send_due() == 2
        assert [row(mail)["status"] for mail in good] == ["sent", "sent"]
        assert (row(poisoned)["status"], row(poisoned)["attempts"]) == ("waiting", 1)
        assert row(poisoned)["leased_until"] is None


class TestRound:
    def test_is_not_begun_while_a_sender_has_the_row(self) -> None:
        mail = claim(write())
        before = row(mail)
        with pytest.raises(BusyError):
            sending.send_again(mail_id=mail.pk)
        assert row(mail) == before

    @pytest.mark.parametrize("error", [None, ConnectionResetError("too late")])
    def test_knows_nothing_of_who_was_slow_in_the_last(self, error: Exception | None) -> None:
        slow = claim(write())
        end_leases()
        sending.send_again(mail_id=slow.pk)
        before = row(slow)
        sending._record(slow, error)
        assert row(slow) == before
        assert (before["status"], before["round"], before["extra_attempts"]) == ("waiting", 2, 1)
        assert claim(slow).attempts == 2


class TestOrder:
    def test_is_that_of_storing_within_an_object(self) -> None:
        ours, theirs, past = OperatorFactory.create(), OperatorFactory.create(), Now() - timedelta(hours=1)
        first, second = write("first", operator=ours), write("second", operator=ours, next_attempt_at=past)
        other, free = (
            write("other", operator=theirs),
            write("nobody's"),
        )
        assert set(IN_ORDER.due()) == {first, other, free}
        assert IN_ORDER.claim(second.pk) is None
        claimed = IN_ORDER.claim(first.pk)
        assert claimed is not None
        assert second not in IN_ORDER.due()
        with database.use_case():
            claimed.note_sent(at=database.now())
            assert database.update_together(fenced=IN_ORDER.fenced(claimed, Mail.RESULT_FIELDS)) == (second.pk,)
        assert IN_ORDER.claim(second.pk) is not None

    def test_lets_pass_what_goes_first(self) -> None:
        operator = OperatorFactory.create()
        later, first = write("later", operator=operator), write("first", operator=operator, kind="dispute")
        assert list(IN_ORDER.due()) == [first]
        assert IN_ORDER.claim(later.pk) is None

    def test_waits_for_what_is_given_up_and_open(self) -> None:
        """What became of it is not known; only a person, or news of it, lets the next one pass."""
        operator = OperatorFactory.create()
        write("unknown", operator=operator, next_attempt_at=None)
        assert IN_ORDER.claim(write("later", operator=operator).pk) is None

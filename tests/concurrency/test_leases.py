"""A sender that takes longer than a lease has lost what it was for: another has it, and is not disturbed."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from adminkit import bulk
from adminkit.models import BulkRun
from notifications import sending, writing
from notifications.models import Mail
from payments.models import CheckAttempt, CheckResult, Payment
from reconciliation import check_attempts
from reconciliation.check_attempts import Result
from tenants.models import User
from tests.support import stripe_events
from tests.support.aging import end_leases, let_checks_be_due
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class TestLook:
    def test_that_took_too_long_says_nothing_of_the_next(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        payment = Payment.objects.get()
        claimed = []
        for _ in range(2):
            let_checks_be_due()
            claimed.append(check_attempts.claim_due(payment_id=payment.pk))
        slow, living = claimed
        assert slow is not None
        assert living is not None
        before = list(Payment.objects.values()), list(CheckAttempt.objects.values())
        check_attempts.finish(slow, Result(result=CheckResult.FAILED, error="too late"))
        assert (list(Payment.objects.values()), list(CheckAttempt.objects.values())) == before
        check_attempts.finish(living, Result(result=CheckResult.IN_STEP))
        assert list(CheckAttempt.objects.values_list("result", flat=True)) == ["failed", "in_step"]


class TestBulkRun:
    def test_is_left_to_who_took_it_up(self) -> None:
        person = User.objects.create(username="ana")
        made = BulkRun.objects.create(person=person, model="m", action="a", title="t", rows=["one", "two", "three"])
        slow = bulk.claim(made.pk)
        assert slow is not None
        assert bulk.begin(slow) == "one"
        BulkRun.objects.update(leased_until=Now() - timedelta(seconds=1))
        living = bulk.claim(made.pk)
        assert living is not None
        assert bulk.begin(living) == "two"
        bulk.note(slow, refused=None)
        assert bulk.begin(slow) is None
        bulk.note(living, refused=None)
        assert [bulk.begin(living), bulk.begin(slow)] == ["three", None]
        made.refresh_from_db()
        assert (made.begun, made.done, len(made.refusals)) == (3, 1, 1)


class TestMail:
    def test_that_another_has_sent_is_not_told_as_failed(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]["id"]
        frontend.post(f"reservations/{made}/confirm")
        stripe_events.deliver_all(sandbox)
        writing.write_due()
        mail_id = Mail.objects.get().pk
        slow = sending.OUTBOX.claim(mail_id)
        assert slow is not None
        end_leases()
        living = sending.OUTBOX.claim(mail_id)
        assert living is not None
        assert living.pk == slow.pk
        sending._record(living, None)
        before = list(Mail.objects.values())
        sending._record(slow, ConnectionResetError("too late"))
        assert list(Mail.objects.values()) == before
        assert before[0]["status"] == "sent"

"""Lets time pass in the database, where the clock is that decides: rows are made old."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from booking.models import Reservation
from idempotency.models import IdempotencyKey
from notifications.models import Mail
from payments.models import CheckAttempt, Command, Payment, ProviderThrottle
from payments.states import COMMAND_OPEN
from webhooks.models import Event, Notice


def run_out(reservation_id: UUID | str) -> None:
    """Let the hold of a reservation run out a second ago."""
    Reservation.objects.filter(pk=reservation_id).update(expires_at=Now() - timedelta(seconds=1))


def end_leases() -> None:
    """Let every lease and pause end and every next attempt be due: the time after a process died."""
    past = Now() - timedelta(seconds=1)
    Command.objects.filter(status__in=sorted(COMMAND_OPEN), leased_until__isnull=False).update(leased_until=past)
    Command.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=past)
    Mail.objects.filter(leased_until__isnull=False).update(leased_until=past)
    ProviderThrottle.objects.filter(paused_until__isnull=False).update(paused_until=past)
    Event.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=past)
    Notice.objects.filter(leased_until__isnull=False).update(leased_until=past)
    Notice.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=past)
    IdempotencyKey.objects.filter(status_code=None).update(leased_until=past)


def let_checks_be_due(by: timedelta = timedelta(days=1)) -> None:
    """Let every payment with something open be due for a status check."""
    Payment.objects.filter(next_check_at__isnull=False).update(next_check_at=F("next_check_at") - by)
    CheckAttempt.objects.filter(result="running").update(at=F("at") - by)


def make_holds_older(by: timedelta) -> None:
    """Let every hold be older."""
    Reservation.objects.update(expires_at=F("expires_at") - by)

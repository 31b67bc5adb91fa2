"""Holds at the provider that are held for nobody (P7), seen from the provider's side. Reads only."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models.functions import Now

from booking.models import Reservation
from booking.states import ReservationStatus
from payments.models import Payment
from payments.outcomes import Outcome, ProviderPayment
from payments.providers import registry
from payments.states import COMMAND_OPEN
from reconciliation.promises import Promise, Verdict

_WINDOW = timedelta(days=8)
"""A card hold lives seven days at the longest that we ask for; older ones have ended by themselves."""
_EXAMPLES = 5
_WANTED = (ReservationStatus.AWAITING_PAYMENT, ReservationStatus.PENDING, ReservationStatus.CONFIRMED)

PROMISE = Promise(
    number="P7",
    text="At the provider: every hold of ours has a live reservation, or its release is on its way",
    breaches="",
)


def check() -> Verdict:
    """Ask each provider for its recent payments and find holds that nobody here wants. Outside any transaction."""
    found = list(_dangling())
    return Verdict(promise=PROMISE, breaches=len(found), examples=found[:_EXAMPLES])


def _dangling() -> Iterator[tuple[str, str]]:
    accounts = Payment.objects.order_by().values_list("provider", "provider_account").distinct()
    for name, account in accounts:
        now = Payment.objects.annotate(db_now=Now()).values_list("db_now", flat=True)[0]
        for theirs in registry.get(name).list_payments(since=now - _WINDOW, account=account):
            if theirs.outcome is Outcome.HELD and theirs.payment_id is not None and not _is_wanted(theirs):
                yield theirs.ref, f"held {theirs.amount} {theirs.currency} for nobody (payment {theirs.payment_id})"


def _is_wanted(theirs: ProviderPayment) -> bool:
    """Whether a live reservation needs the hold, a command is on its way, or a person has been told."""
    ours = Payment.objects.filter(pk=theirs.payment_id).first() if theirs.payment_id else None
    if ours is None:
        return False
    if ours.stuck_at is not None or Reservation.objects.filter(payment=ours, status__in=_WANTED).exists():
        return True
    if not ours.managed_by and not ours.is_final:
        return True  # held by the payments API, which captures or cancels it
    return ours.commands.filter(status__in=sorted(COMMAND_OPEN), next_attempt_at__isnull=False).exists()

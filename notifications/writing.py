"""Writes mails from the histories, so no code path can forget one.

Nothing is added to the transaction of a reservation or a webhook by it. For one cause there is one mail: the database
keeps a second one out, so any number of writers may run, again and again.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db.models import CharField, Exists, F, Model, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat, Now

from booking.models import MANAGES, History, Reservation
from booking.states import PayBy, ReservationStatus
from common import database, loops
from notifications import facts, locks
from notifications.models import Mail, MailKind
from payments import outcome_steps
from payments.models import Dispute, Payment, Refund
from payments.states import PAYMENT_FINAL, RefundStatus
from reconciliation.models import Discrepancy, DiscrepancyStatus

M = TypeVar("M", bound=Model)

WINDOW = timedelta(days=2)
"""What is older is not told of any more: after an upgrade, or a worker that was away for days."""
REMINDER = timedelta(days=7)
"""A guest is reminded of a balance so long before it is due."""
_AT_THE_SCREEN = timedelta(minutes=1)
"""A guest whose card is declined so soon after reserving sees it; a mail would only tell it twice."""
_BATCH = 200

_OVER = (ReservationStatus.EXPIRED, ReservationStatus.CANCELLED, ReservationStatus.FAILED)


def write_due() -> int:
    """Write every due mail; returns how many.

    Must be called outside a transaction.
    """
    written = _write(_changes(), "history", _of_change)
    written += _write(_refunds(), "refund", lambda refund: facts.of_refund(refund, cause=f"refund:{refund.pk}"))
    written += _write_dues()
    written += _write(_disputes(), "dispute", lambda dispute: facts.of_dispute(dispute, cause=f"dispute:{dispute.pk}"))
    return written + _tell_of_discrepancies()


def _changes() -> QuerySet[History]:
    """Select the changes of reservations that a guest is told of, moves, and the notes of money that came late."""
    failed = Q(to_status=ReservationStatus.FAILED) & (
        ~Q(from_status=ReservationStatus.AWAITING_PAYMENT) | Q(at__gt=F("reservation__created_at") + _AT_THE_SCREEN)
    )
    # A part that goes back makes it paid for a while, since so much is given up with it: that is no receipt.
    part_goes_back = Q(captured__gt=0, captured__lt=F("reservation__amount"), captured__lte=F("back"))
    paid = Q(to_status=ReservationStatus.PAID) & ~part_goes_back
    part_returned = Q(to_status=ReservationStatus.REFUNDED) & part_goes_back
    ends = (ReservationStatus.EXPIRED, ReservationStatus.CANCELLED)
    # Sold without a provider, for nothing, or with a deposit: there is no event of all the money to tell of.
    first = Q(reservation__attempts=0) | Q(from_status=ReservationStatus.AWAITING_PAYMENT)
    sold = Q(first, to_status=ReservationStatus.CONFIRMED)
    is_known = Exists(Mail.objects.filter(reservation=OuterRef("reservation"), kind=MailKind.CONFIRMED))
    stays = Q(from_status=ReservationStatus.CONFIRMED, to_status=ReservationStatus.CONFIRMED)
    deposit = Q(stays, ~is_known, reservation__schedule__1__isnull=False, reservation__amount_proven__gt=0)
    changed = Q(to_status__in=ends) | paid | part_returned | failed | sold
    late = Q(to_status=F("from_status"), to_status__in=_OVER, actor=outcome_steps.ACTOR)
    told = (changed & ~Q(to_status=F("from_status"))) | late
    told |= Q(moved_from__isnull=False) | deposit
    back = _of_payments(F("amount_refunded") + F("amount_refunding"))
    with_sums = History.objects.annotate(captured=_of_payments(F("amount_captured")), back=back)
    return with_sums.filter(told, at__gte=Now() - WINDOW).select_related(
        "reservation__operator", "reservation__activity", "reservation__slot", "reservation__payment"
    )


def _of_payments(amount: Combinable) -> Subquery:
    """Add up an amount of all payments of a change's reservation."""
    own = Payment.objects.filter(managed_id=OuterRef("reservation"), managed_by=MANAGES).order_by()
    return Subquery(own.values("managed_id").annotate(total=Sum(amount)).values("total"))


def _of_change(change: History) -> Mail:
    if change.moved_from_id is not None:
        kind = MailKind.MOVED
    elif change.to_status == ReservationStatus.CONFIRMED:
        kind = MailKind.CONFIRMED
    elif change.from_status == change.to_status:
        kind = MailKind.LATE_REFUNDED
    elif change.to_status == ReservationStatus.PAID:
        kind = MailKind.LATE_SEATED if change.from_status in _OVER else MailKind.PAID
    elif change.to_status == ReservationStatus.CANCELLED:
        return facts.of_cancellation(change)
    elif change.to_status == ReservationStatus.CONFIRMED:
        kind = MailKind.CONFIRMED
    elif change.to_status == ReservationStatus.EXPIRED:
        kind = MailKind.EXPIRED
    elif change.to_status == ReservationStatus.REFUNDED:
        kind = MailKind.PART_RETURNED
    else:
        kind = MailKind.FAILED
    late = sum(payment.amount_captured for payment in change.reservation.payments)
    amount = late if kind is MailKind.LATE_REFUNDED else None
    return facts.of_reservation(change.reservation, kind=kind, cause=f"history:{change.pk}", amount=amount)


def _refunds() -> QuerySet[Refund]:
    done = Refund.objects.filter(
        status=RefundStatus.SUCCEEDED, changed_at__gte=Now() - WINDOW, payment__managed_by=MANAGES
    )
    return done.select_related("payment")


def _write_dues() -> int:
    """Remind of what is due soon, and of what was due and is not paid; each once for each time.

    Nobody is reminded while a payment is in progress, or while the bank disputes one.
    """
    live = Payment.objects.filter(managed_id=OuterRef("pk"), managed_by=MANAGES).exclude(status__in=PAYMENT_FINAL)
    disputed = Dispute.objects.filter(payment__managed_id=OuterRef("pk"), payment__managed_by=MANAGES)
    waiting = Reservation.objects.filter(~Exists(live), ~Exists(disputed), pay_by=PayBy.PROVIDER).select_related(
        "operator", "activity", "slot", "payment"
    )
    written = 0
    for kind, start, end in (
        (MailKind.DUE, Now(), Now() + REMINDER),
        (MailKind.OVERDUE, Now() - WINDOW, Now()),
    ):
        due = waiting.filter(next_due_at__gt=start, next_due_at__lte=end)
        told = Mail.objects.filter(reservation=OuterRef("pk"), kind=kind, created_at__gt=Now() - REMINDER)
        written += loops.batches(
            loops.pages(due.exclude(Exists(told)), size=_BATCH),
            partial(_store_dues, kind=kind),
            name=f"write_mails_of_{kind}",
        ).done
    return written


def _store_dues(batch: Sequence[Reservation], *, kind: MailKind) -> int:
    return _store([facts.of_due(row, kind=kind) for row in batch if row.balance > 0])


def _disputes() -> QuerySet[Dispute]:
    return Dispute.objects.filter(created_at__gte=Now() - WINDOW).select_related("operator", "payment")


def _write(rows: QuerySet[M], source: str, make: Callable[[M], Mail]) -> int:
    """Write a mail for each row that has none, batch by batch."""
    cause = Concat(Value(f"{source}:"), Cast(OuterRef("pk"), CharField()))
    untold = rows.exclude(Exists(Mail.objects.filter(cause=cause)))

    def write(batch: Sequence[M]) -> int:
        return _store([make(row) for row in batch])

    return loops.batches(loops.pages(untold, size=_BATCH), write, name=f"write_mails_of_{source}").done


def _store(mails: Sequence[Mail]) -> int:
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    return len(mails)


def _tell_of_discrepancies() -> int:
    """Tell each operator's staff of all that is new in one mail, however much an outage has brought up."""
    waiting = ~Q(status=DiscrepancyStatus.RESOLVED)
    untold = Discrepancy.objects.filter(waiting, told_at=None).order_by()

    def tell(operator_id: UUID | None) -> int:
        with database.use_case():
            found = locks.list_untold_for_update(where=waiting & Q(operator=operator_id))  # none: IS NULL
            if not found:
                return 0
            written = _store([facts.of_discrepancies(found, cause=f"discrepancies:{found[0].pk}")])
            Discrepancy.objects.filter(pk__in=[row.pk for row in found]).update(told_at=Now())
        return written

    operators = untold.values_list("operator", flat=True).distinct()
    return loops.each(operators, tell, name="write_mails_of_discrepancies").done

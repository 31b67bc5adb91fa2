"""The facts of a mail, as plain values at writing time.

They become words when it is sent.
"""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Now

from booking import queries
from booking.models import History, Reservation
from common.times import rfc3339
from notifications.models import Mail, MailKind, MailStatus
from payments.models import Dispute, Refund
from payments.states import PAYMENT_OVER_WITHOUT_MONEY
from reconciliation.models import Discrepancy
from tenants.models import Language, Operator, User

_SHOWN = 20
"""Discrepancies that a mail lists; of more it tells the number."""


def of_reservation(reservation: Reservation, *, kind: MailKind, cause: str, amount: int | None = None) -> Mail:
    """Write a mail to the guest of a reservation.

    ``amount`` (minor units) is what it is about; None: all of it.
    """
    units: dict[str, int] = {}
    for unit in queries.units(reservation):
        units[unit.name] = units.get(unit.name, 0) + 1
    return _mail(
        kind=kind,
        cause=cause,
        operator=reservation.operator,
        to=[reservation.customer_email],
        language=reservation.customer_language or reservation.operator.language,
        reservation=reservation,
        payment_id=reservation.payment_id,
        facts={
            "name": reservation.customer_name,
            "reference": reservation.reference,
            "activity": reservation.activity.name,
            "operator": reservation.operator.name,
            "starts_at": rfc3339(reservation.starts_at),
            "day": reservation.day.isoformat() if reservation.day else None,
            "timezone": reservation.activity.timezone,
            "units": units,
            "amount": reservation.amount if amount is None else amount,
            "currency": reservation.currency,
            "receipt_url": reservation.payment.receipt_url if reservation.payment is not None else "",
        },
    )


def of_due(reservation: Reservation, *, kind: MailKind) -> Mail:
    """Write the mail that reminds of what is due, or was."""
    by = reservation.next_due_at
    cause = f"{kind}:{reservation.pk}:{by:%Y%m%d}"
    mail = of_reservation(reservation, kind=kind, cause=cause, amount=reservation.balance)
    mail.facts["due_by"] = rfc3339(by)
    return mail


def of_cancellation(change: History) -> Mail:
    """Write the mail about a cancelled reservation: by whom, and the refund.

    That nothing was charged is told only where it is proven: its payments are over, and took nothing.
    """
    payments = change.reservation.payments
    is_free = all(each.status in PAYMENT_OVER_WITHOUT_MONEY and not each.amount_captured for each in payments)
    back = Refund.objects.filter(payment__in=payments, created_at=change.at).aggregate(total=Sum("amount"))["total"]
    kept = change.reservation.amount_owed
    if back:
        kind = MailKind.CANCELLED_REFUND
    elif kept:
        kind = MailKind.CANCELLED_KEPT
    else:
        kind = MailKind.CANCELLED if is_free else MailKind.CANCELLED_HELD
    amount = back or kept or None
    mail = of_reservation(change.reservation, kind=kind, cause=f"history:{change.pk}", amount=amount)
    mail.facts["fee"] = kept
    kind_of_actor, _, name = change.actor.partition(":")
    is_staff = kind_of_actor == "user" and User.objects.filter(username=name, is_staff=True).exists()
    mail.facts["by"] = "operator" if is_staff else "guest"
    return mail


def of_refund(refund: Refund, *, cause: str) -> Mail:
    """Write a mail to the guest whose money is given back."""
    told_with = Reservation.objects.select_related("operator", "activity", "slot", "payment")
    reservation = told_with.get(pk=cast("UUID", refund.payment.managed_id))
    return of_reservation(reservation, kind=MailKind.REFUNDED, cause=cause, amount=refund.amount)


def of_dispute(dispute: Dispute, *, cause: str) -> Mail:
    """Write a mail to the staff about a chargeback."""
    return _to_staff(
        kind=MailKind.DISPUTE,
        cause=cause,
        operator=dispute.operator,
        payment_id=dispute.payment_id,
        facts={
            "reference": dispute.payment.provider_ref,
            "dispute": dispute.provider_ref,
            "amount": dispute.amount,
            "currency": dispute.currency,
            "reason": dispute.reason,
            "respond_by": rfc3339(dispute.respond_by),
            "timezone": dispute.operator.timezone,
            "operator": dispute.operator.name,
        },
    )


def of_discrepancies(found: Sequence[Discrepancy], *, cause: str) -> Mail:
    """Write one mail to the staff about discrepancies of one operator.

    Or of no known operator.
    """
    operator = found[0].operator
    listed = [{"kind": row.kind, "subject": row.subject, "summary": row.summary} for row in found[:_SHOWN]]
    return _to_staff(
        kind=MailKind.PERSON_NEEDED,
        cause=cause,
        operator=operator,
        payment_id=None,
        facts={"number": len(found), "found": listed, "operator": operator.name if operator else "Holdfast"},
    )


def _to_staff(*, kind: MailKind, cause: str, operator: Operator | None, payment_id: Any, facts: dict[str, Any]) -> Mail:
    mail = _mail(
        kind=kind,
        cause=cause,
        operator=operator,
        to=_addresses(operator),
        language=operator.language if operator else Language.ENGLISH,
        payment_id=payment_id,
        facts=facts,
    )
    if not mail.to:
        mail.note_failure(error="nobody of the staff has a mail address", again_at=None)
    return mail


def _addresses(operator: Operator | None) -> list[str]:
    """List where the operator's staff are reached; of what is nobody's, the superusers are told."""
    people = User.objects.filter(is_active=True).exclude(email="")
    people = people.filter(memberships__operator=operator) if operator else people.filter(is_superuser=True)
    return sorted(set(people.values_list("email", flat=True)))


def _mail(**known: Any) -> Mail:
    return Mail(**known, status=MailStatus.WAITING, created_at=Now(), next_attempt_at=Now())

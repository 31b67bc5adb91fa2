"""Chargebacks: recorded beside the payment, told to the operator's staff. No figure of the payment changes by one."""

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django_q.tasks import async_task

from payments import currencies, locks, settling
from payments.errors import OutcomeMismatchError, UnknownPaymentError
from payments.models import Dispute, Payment
from payments.outcomes import Effect, PaymentOutcome, ProviderDispute
from tenants.models import User


def record(*, news: PaymentOutcome, theirs: ProviderDispute) -> settling.Settled:
    """Record what an event says of a dispute, and have the staff told of a new one. Inside a transaction.

    Events come in any order: an older one changes nothing, and a dispute may be closed by the first that comes.

    Raises:
        UnknownPaymentError: There is no such payment (yet).
        OutcomeMismatchError: It is in another currency than the payment, or has no amount.
    """
    payment = locks.find_payment_for_update(where=settling.named(news))
    if payment is None:
        raise UnknownPaymentError(settling.reference(news))
    if theirs.currency != payment.currency or theirs.amount <= 0:
        raise OutcomeMismatchError(
            f"{theirs.ref}: {theirs.amount} {theirs.currency} of a payment in {payment.currency}."
        )
    known = locks.find_dispute_for_update(payment=payment, provider_ref=theirs.ref)
    if known is None:
        _open(payment, theirs)
        return settling.Settled(payment=payment, effect=Effect.APPLIED)
    newer = known.update(
        status=theirs.status, is_closed=theirs.is_closed, respond_by=theirs.respond_by, as_of=theirs.as_of
    )
    if newer:
        known.save(update_fields=["status", "is_closed", "respond_by", "as_of"])
    return settling.Settled(payment=payment, effect=Effect.APPLIED if newer else Effect.STALE)


def tell_staff(*, dispute_id: UUID) -> None:
    """Mail the operator's staff that a dispute has been opened; a worker calls this by name."""
    dispute = Dispute.objects.select_related("payment", "operator").get(pk=dispute_id)
    staff = User.objects.filter(memberships__operator=dispute.operator, is_active=True).exclude(email="")
    addresses = sorted(set(staff.values_list("email", flat=True)))
    if not addresses:
        return
    due = f"{dispute.respond_by:%Y-%m-%d %H:%M} UTC" if dispute.respond_by else "not stated"
    send_mail(
        subject=f"A payment is disputed: {dispute.payment.provider_ref}",
        message=(
            f"The customer's bank disputes {currencies.shown(dispute.amount, dispute.currency)} of payment "
            f"{dispute.payment.provider_ref}.\n\nReason: {dispute.reason or 'not stated'}\nAnswer by: {due}\n"
            f"Dispute: {dispute.provider_ref}\n"
        ),
        from_email=settings.DEFAULT_FROM_EMAIL,
        recipient_list=addresses,
    )


def _open(payment: Payment, theirs: ProviderDispute) -> None:
    dispute = Dispute.objects.create(
        operator_id=payment.operator_id,
        payment=payment,
        provider_ref=theirs.ref,
        amount=theirs.amount,
        currency=theirs.currency,
        reason=theirs.reason,
        status=theirs.status,
        is_closed=theirs.is_closed,
        respond_by=theirs.respond_by,
        as_of=theirs.as_of,
        created_at=payment.db_now,  # type: ignore[attr-defined]  # annotated by the lock
    )
    transaction.on_commit(lambda: _queue(dispute.pk), robust=True)


def _queue(dispute_id: UUID) -> None:
    async_task("payments.disputing.tell_staff", dispute_id=dispute_id, group="mail", save=False)

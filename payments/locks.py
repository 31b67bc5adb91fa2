"""Every lock that is taken on a payment or a refund. Order: event → reservation → payment → slots."""

from uuid import UUID

from django.db.models.functions import Now

from payments.models import Payment, Refund


def find_payment_for_update(*, payment_id: UUID) -> Payment | None:
    """Lock a payment that belongs to no reservation."""
    return Payment.objects.select_for_update(no_key=True).filter(pk=payment_id).annotate(db_now=Now()).first()


def find_refund_for_update(*, payment: Payment, refund_id: UUID | None, provider_ref: str) -> Refund | None:
    """Lock a refund of a locked payment, by our id if the provider tells it, else by the provider's."""
    mine = Refund.objects.select_for_update(no_key=True).filter(payment=payment)
    return mine.filter(pk=refund_id).first() if refund_id else mine.filter(provider_ref=provider_ref).first()

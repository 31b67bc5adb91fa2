"""Release a hold that no reservation needs (P7)."""

from uuid import UUID

from booking import locks
from common import database
from common.locking import AsOf
from payments import execution, outcome_steps
from payments import locks as payment_locks
from payments.models import Command, Payment
from payments.states import PAYMENT_OVER_WITHOUT_MONEY, PaymentStatus


def release_unwanted(*, payment_id: UUID, reason: str) -> Command | None:
    """Store and queue the release of an unneeded hold.

    None if it is needed, or its release is already stored.

    Wanted is what belongs to an active reservation, or to a payment of the payments API that is not closed. The
    question is asked again under the lock. Must be called outside a transaction.
    """
    with database.use_case():
        unwanted = _find_unwanted(payment_id)
        if unwanted is None:
            return None
        payment, at = unwanted.row, unwanted.at
        wanted = outcome_steps.release(payment, at, reason=reason)
        if not wanted:
            return None
        (command,) = wanted
        database.insert_together(command)
        execution.queue(command_id=command.pk)
    return command


def _find_unwanted(payment_id: UUID) -> AsOf[Payment] | None:
    """Lock a payment, with its reservation if it has one, and return it with the time if nothing needs its hold."""
    reserved = locks.find_reservation_of_payment_for_update(id=payment_id)
    if reserved is not None:
        payment = reserved.row.get_payment(payment_id)
        is_of_old_change = payment.managed_part not in (None, reserved.row.change_id)
        is_let_go = is_of_old_change and payment.status == PaymentStatus.ON_HOLD
        is_needed = reserved.row.is_active and payment.status not in PAYMENT_OVER_WITHOUT_MONEY and not is_let_go
        return None if is_needed else AsOf(row=payment, at=reserved.at)
    single = payment_locks.find_payment_for_update(pk=payment_id, managed_by="")
    return single if single is not None and single.row.is_final else None

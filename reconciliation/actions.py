"""Staff actions on a discrepancy; each calls the common function and reports.

A discrepancy is resolved only when what was done has made it good, or a person accepts it as it is.
"""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from booking import releasing
from common import currencies, ids
from common.errors import ConflictError
from payments import commands, refunds, throttle
from payments.models import Payment
from payments.providers.errors import ProviderError
from payments.throttle import PausedError
from reconciliation import (
    discrepancies,
    discrepancy_rules,
    manual_evidence,
    missed_events,
    payment_totals,
    status_checks,
)
from reconciliation.accounts import Account
from reconciliation.models import ACCEPTED, ASKED_AGAIN, OTHER_WAY, Discrepancy, DiscrepancyKind
from reconciliation.payment_totals import PaymentTotals
from webhooks.models import OPEN, Event

T = TypeVar("T")


class NothingToDoError(ConflictError):
    """This cannot be done about this discrepancy."""

    code = "nothing_to_do"


def acknowledge(row: Discrepancy, actor: str, reason: str) -> str:
    """Say that one is at it."""
    discrepancies.acknowledge(discrepancy_id=row.pk, by=actor, because=reason)
    return "Acknowledged."


def recover_events(row: Discrepancy, actor: str, reason: str) -> str:
    """Fetch the events of the payment's time; resolve if the figures agree.

    Raises:
        NothingToDoError: There is no payment, or the provider cannot be asked.
    """
    payment = _payment(row)
    taken, theirs = _recover(payment)
    told = f"{taken} events were recovered"
    return _resolve_if_equal(row, actor, reason, "event recovered", theirs=theirs, told=told)


def recover_events_of(payment: Payment, actor: str, reason: str) -> str:
    """Fetch the provider's events of a payment's time.

    Raises:
        NothingToDoError: The provider cannot be asked.
    """
    taken, _ = _recover(payment)
    return f"{taken} events were recovered for {actor}."


def check_now(payment: Payment, actor: str, reason: str) -> str:
    """Ask the provider about a payment now, and act on the answer.

    Raises:
        NothingToDoError: The provider cannot be asked.
    """
    result = _asked(lambda: status_checks.reconcile_now(payment=payment, wait=throttle.give_up))
    if result is None:
        raise NothingToDoError("Another check of this payment is running.")
    discrepancy_rules.apply()
    said = result.provider_status or "nothing"
    return f"Asked for {actor}: the provider says {said}; {result.done or result.error or result.result.value}."


def send_again(row: Discrepancy, actor: str, reason: str) -> str:
    """Send abandoned commands again, with their old keys.

    Raises:
        NothingToDoError: There is none.
    """
    given_up = list(commands.given_up(payment=_payment(row)))
    for command in given_up:
        commands.give_another_round(command_id=command.pk)
    if not given_up:
        raise NothingToDoError("No command of this payment was abandoned.")
    return _resolve(row, actor, reason, "command sent again")


def release_hold(row: Discrepancy, actor: str, reason: str) -> str:
    """Release a hold that nothing here needs.

    Raises:
        NothingToDoError: Something needs it, or its release is on its way.
    """
    command = releasing.release_unwanted(payment_id=_payment(row).pk, reason=f"{actor}: {reason}")
    if command is None:
        raise NothingToDoError("The hold is still needed, or its release is already requested.")
    return _resolve(row, actor, reason, "hold released")


def refund(row: Discrepancy, actor: str, reason: str) -> str:
    """Give all that is left of the payment's money back.

    Raises:
        NothingToDoError, InvalidStateError, RefundExceedsPaymentError: There is none to give back.
    """
    payment = _payment(row)
    asked = refunds.request(
        operator=payment.operator,
        payment_id=payment.pk,
        operation_id=ids.new_id(),
        amount=None,
        reason="requested_by_customer",
        actor=actor,
    )
    if row.kind == DiscrepancyKind.PARTIAL_CAPTURE:
        money = currencies.shown(asked.amount, payment.currency)
        return f"{money} is being refunded for {actor}; this is resolved when it has arrived."
    return _resolve(row, actor, reason, "refunded")


def refund_again(row: Discrepancy, actor: str, reason: str) -> str:
    """Request a failed refund anew, or a hanging one now.

    The new one has a new key.

    Raises:
        NothingToDoError, InvalidStateError, PaymentDisputedError, RefundExceedsPaymentError: It cannot be asked for.
    """
    anew = refunds.request_again(refund_id=_refund_id(row), actor=actor)
    money = currencies.shown(anew.amount, anew.payment.currency)
    if str(anew.pk) == row.subject:
        return f"The refund of {money} is requested again for {actor}; this is resolved when it has arrived."
    return _resolve(row, actor, reason, ASKED_AGAIN)


def refunded_otherwise(row: Discrepancy, actor: str, reason: str) -> str:
    """Record that the money was given back another way.

    The reason says how; a hanging refund is requested no more.

    Raises:
        NothingToDoError, InvalidStateError: It is of no refund, or it is on its way at the provider.
    """
    refunds.withdraw(refund_id=_refund_id(row), actor=actor)
    return _resolve(row, actor, reason, OTHER_WAY)


def attest(row: Discrepancy, actor: str, reason: str) -> str:
    """Accept the provider's object as evidence, on a person's word.

    For money whose event cannot be had any more.

    Raises:
        NothingToDoError: There is no payment.
        NotCapturedError: The provider has taken no money.
        UnavailableError: The provider cannot be asked.
    """
    receipt = manual_evidence.attest(payment_id=_payment(row).pk, by=actor, because=reason)
    if not _payment(row).amount_captured:
        raise NothingToDoError(f"The event could not be applied ({receipt}); its error says why.")
    theirs = _asked(lambda: payment_totals.fetch_theirs(_payment(row)))
    return _resolve_if_equal(row, actor, reason, "attested", theirs=theirs, told="It is recorded")


def accept(row: Discrepancy, actor: str, reason: str) -> str:
    """Accept the difference; the same one is not opened again.

    Raises:
        NothingToDoError: It is of a payment whose outcome is not known, which cannot be left so.
    """
    if row.kind == DiscrepancyKind.STUCK and _payment(row).stuck_at is not None:
        raise NothingToDoError("The outcome of this payment is still unknown: ask the provider, or vouch for it.")
    if row.kind == DiscrepancyKind.PARTIAL_CAPTURE and _payment(row).managed_by:
        raise NothingToDoError("The captured part does not pay for the places: refund it.")
    if row.kind == DiscrepancyKind.REFUND_FAILED:
        raise NothingToDoError("The refund is still owed: try again, or say how it was paid another way.")
    return _resolve(row, actor, reason, ACCEPTED)


def _recover(payment: Payment) -> tuple[int, PaymentTotals]:
    """Take in events until our figures are the provider's; returns how many were new, and the provider's figures."""
    account = Account(payment.provider, payment.provider_account)
    theirs = _asked(lambda: payment_totals.fetch_theirs(payment))
    tally = _asked(
        lambda: missed_events.recover_until(
            account=account, since=payment.created_at, is_enough=lambda: payment_totals.get_ours(payment) == theirs
        )
    )
    return tally.taken, theirs


def _resolve_if_equal(
    row: Discrepancy, actor: str, reason: str, resolution: str, *, theirs: PaymentTotals, told: str
) -> str:
    ours = payment_totals.get_ours(_payment(row))
    if ours != theirs:
        return f"{told}; the figures still differ: {ours} here, {theirs} at the provider."
    if row.kind == DiscrepancyKind.PARTIAL_CAPTURE:
        return f"{told}; it is still only a part of the money."
    if _payment(row).stuck_at is not None:
        return f"{told}; what came of it is still not known."
    if (
        row.kind == DiscrepancyKind.EVENT
        and Event.objects.filter(event_id=row.subject, status__in=sorted(OPEN)).exists()
    ):
        return f"{told}; the event could still not be applied."
    return _resolve(row, actor, reason, resolution)


def _refund_id(row: Discrepancy) -> UUID:
    if row.kind != DiscrepancyKind.REFUND_FAILED:
        raise NothingToDoError("This discrepancy has no failed refund.")
    return UUID(row.subject)


def _payment(row: Discrepancy) -> Payment:
    if row.payment_id is None:
        raise NothingToDoError("This discrepancy has no known payment.")
    return Payment.objects.select_related("operator").get(pk=row.payment_id)


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except (ProviderError, PausedError) as error:
        raise NothingToDoError(f"The provider cannot be asked now: {error}") from error


def _resolve(row: Discrepancy, actor: str, reason: str, resolution: str) -> str:
    discrepancies.resolve(discrepancy_id=row.pk, by=actor, because=reason, resolution=resolution)
    return f"Resolved: {resolution}."

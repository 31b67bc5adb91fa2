"""The judge: what must hold once a world has settled, here and at the provider (P1–P13, and that everything ends)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from booking.models import History, Reservation
from booking.states import RESERVATION_TRANSITIONS, ReservationStatus
from notifications.models import Mail
from payments.models import Command, Payment, PaymentHistory
from payments.states import COMMAND_OPEN, PAYMENT_FINAL, PAYMENT_TRANSITIONS
from reconciliation.models import Discrepancy, DiscrepancyStatus
from reconciliation.promises import check_all
from tests.simulation.world import World
from tests.support import fixed_point

_NEVER = frozenset({("cancelled", "paid"), ("cancelled", "confirmed"), ("refunded", "paid")})
"""What no table may allow."""
_ENDED = ("paid", "refunded", "failed", "expired", "cancelled")


def breaches(world: World) -> list[str]:
    """List every broken promise, in words."""
    found = [f"{v.promise.number}: {v.promise.text}: {v.examples}" for v in check_all() if v.breaches]
    uneven = [f"P13: even_out is no fixed point: {told}" for told in fixed_point.would_change()]
    heard = [*world.faults, *world.provider.unwanted, *found, *uneven]
    return [*heard, *_money(world), *_histories(), *unended(), *_untold()]


def _money(world: World) -> Iterable[str]:
    """Compare each payment with what the provider has of it: one intent, and every cent (P5, P7, P12)."""
    theirs, given_back = _there(world)
    told = _told()
    for payment in Payment.objects.order_by("id"):
        intents = theirs.pop(str(payment.pk), [])
        live = [intent for intent in intents if intent["status"] not in ("canceled", "requires_payment_method")]
        if len(live) > 1:
            yield f"P5: payment {payment.pk} has {len(live)} intents"
        captured = sum(intent["amount_received"] for intent in intents)
        refunded = sum(given_back[intent["id"]] for intent in intents)
        is_told = payment.pk in told
        if (captured, refunded) != (payment.amount_captured, payment.amount_refunded) and not is_told:
            here = f"{payment.amount_captured} captured, {payment.amount_refunded} refunded"
            yield f"P12: payment {payment.pk}: {captured} captured, {refunded} refunded there; {here} here"
        held = [intent["id"] for intent in intents if intent["status"] == "requires_capture"]
        if held and payment.status != "on_hold" and not is_told:
            yield f"P7: {held} is held, and the payment is {payment.status}"
        reservation = Reservation.objects.filter(pk=payment.managed_id).first() if payment.managed_id else None
        if (
            reservation
            and reservation.status in ("failed", "expired", "cancelled", "refunded")
            and captured - refunded > reservation.amount_owed
            and not is_told
        ):
            yield f"P7: {reservation.status}, and {captured - refunded} were kept"
    for stray in theirs.values():
        yield f"P7: an intent of nobody: {[intent['id'] for intent in stray]}"


def _there(world: World) -> tuple[dict[str, list[Any]], dict[str, int]]:
    """Return what the provider has: intents by our payment, and what was given back of each intent."""
    intents: dict[str, list[Any]] = defaultdict(list)
    given_back: dict[str, int] = defaultdict(int)
    for account in world.provider.sandbox.state.accounts.values():
        for intent in account.payment_intents.values():
            intents[intent["metadata"].get("holdfast_payment", "")].append(intent)
        for refund in account.refunds.values():
            if refund["status"] == "succeeded" and refund["balance_transaction"]:
                given_back[refund["payment_intent"]] += refund["amount"]
    return intents, given_back


def _histories() -> Iterable[str]:
    """Follow each history: unbroken, legal, and ending where the row is (P8, P11)."""
    for rows, key, table, status_of in (
        (
            History.objects.all(),
            "reservation_id",
            RESERVATION_TRANSITIONS,
            dict(Reservation.objects.values_list("pk", "status")),
        ),
        (
            PaymentHistory.objects.all(),
            "payment_id",
            PAYMENT_TRANSITIONS,
            dict(Payment.objects.values_list("pk", "status")),
        ),
    ):
        at: dict[Any, str] = {}
        for change in rows.order_by("id"):
            owner = getattr(change, key)
            if change.from_status != at.get(owner, ""):
                yield f"P11: {owner}: {change.from_status} after {at.get(owner)}"
            if (
                change.from_status
                and change.from_status != change.to_status
                and change.to_status not in table[change.from_status]
            ):
                yield f"P8: {owner}: {change.from_status} became {change.to_status}"
            at[owner] = change.to_status
            if (change.from_status, change.to_status) in _NEVER:
                yield f"P8: {owner}: {change.from_status} became {change.to_status}"
        for owner, status in status_of.items():
            if at.get(owner) != status:
                yield f"P11: {owner} is {status}, its history ends with {at.get(owner)}"


def unended() -> Iterable[str]:
    """List what has not ended and was told to no person."""
    told = _told()
    for row in Reservation.objects.select_related("payment").exclude(status__in=_ENDED):
        is_told = any(payment.stuck_at is not None or payment.pk in told for payment in row.payments)
        if not is_told and not _rests(row):
            states = [payment.status for payment in row.payments]
            yield f"liveness: reservation {row.pk} is still {row.status}, its payments {states}"
    for command in Command.objects.select_related("payment").filter(status__in=sorted(COMMAND_OPEN)):
        if command.payment.stuck_at is None:
            yield f"liveness: command {command.kind} of {command.payment_id} is still {command.status}"
    for payment in Payment.objects.filter(stuck_at__isnull=False).exclude(pk__in=_told()):
        yield f"liveness: payment {payment.pk} is stuck, and nobody was told"
    for payment in Payment.objects.filter(managed_by="reservation", stuck_at=None).exclude(
        status__in=sorted(PAYMENT_FINAL)
    ):
        sold = Reservation.objects.filter(payment__managed_id=payment.managed_id, status=ReservationStatus.CONFIRMED)
        if _waits_for_its_guest(payment) and sold.exists():
            continue
        yield f"liveness: payment {payment.pk} is still {payment.status}"


def _rests(row: Reservation) -> bool:
    """Whether what is confirmed stays so: it has money of some kind, or needs none yet, and no payment moves."""
    if row.status != ReservationStatus.CONFIRMED or not all(map(_waits_for_its_guest, row.payments)):
        return False
    keeps_its_places = row.adjustments.exclude(kind__in=("extra", "fee")).exists()
    has_money = row.amount_proven or row.amount_collected or row.receipts.exists()
    return bool(has_money or keeps_its_places or row.pay_by != "provider" or not row.amount_owed)


def _waits_for_its_guest(payment: Payment) -> bool:
    """Whether a payment is over, or goes on only when its guest comes back to the page."""
    waiting = ("requires_action", "requires_payment_method", "requires_confirmation")
    return payment.is_final or (payment.status in waiting and payment.capture_method == "automatic")


def _untold() -> Iterable[str]:
    """List the guests who have paid and do not know."""
    told = Mail.objects.filter(kind__in=("paid", "late_seated")).values("reservation")
    for row in Reservation.objects.filter(status=ReservationStatus.PAID).exclude(pk__in=told):
        yield f"mails: {row.reference} is paid, and the guest does not know"


def _told() -> set[Any]:
    """Return the payments that a person was told of."""
    return set(Discrepancy.objects.exclude(status=DiscrepancyStatus.RESOLVED).values_list("payment_id", flat=True))

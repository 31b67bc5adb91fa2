"""Staff of a shop, who cancel, refund, move, close and edit, each thing at whatever moment it is."""

from datetime import timedelta
from typing import Any

from django.db import DatabaseError

from booking import adjusting, cancelling, extending, receipts, rescheduling, tills
from booking.models import Adjustment, Receipt, Reservation, Till
from booking.states import AdjustmentKind, ReceiptMethod
from catalogue import slots
from catalogue.models import Slot
from common import ids
from common.errors import HoldfastError
from payments import commands, refunds
from payments.models import Command, Payment
from payments.models.payment import GIVEN_UP
from tests.simulation.shop import Shop
from tests.simulation.world import World

_MARTA = "user:marta"


class Staff:
    """Somebody in the backoffice, who does one thing after the other to what is there."""

    def __init__(self, world: World, shop: Shop) -> None:
        self.world, self.shop = world, shop

    def act(self) -> None:
        """Do something to some reservation, or to a departure."""
        if self.world.is_over:
            return
        done = self.world.dice.choice(
            (
                self._cancel, self._refund, self._move, self._extend, self._close, self._refund_api,
                self._another_round, self._edit, self._take, self._take, self._adjust, self._adjust, self._withdraw,
                self._pay_out, self._correct, self._count,
            )
        )  # fmt: skip
        row = self._some()
        what = done.__name__.strip("_")
        try:
            result = self.world.mortal("the web process of the staff", lambda: done(row))
            self.world.tell(f"staff: {what} {'' if row is None else row.reference}: {result}")
        except HoldfastError as refusal:
            self.world.tell(f"staff: {what}: refused, {refusal.code}")
        except DatabaseError as refusal:
            self.world.tell(f"staff: {what}: the database refuses, {type(refusal).__name__}")
        self.world.at(self.world.soon(60, 600), "the staff", self.act)

    def _some(self) -> Reservation | None:
        rows = list(Reservation.objects.filter(operator=self.shop.operator).select_related("operator").order_by("id"))
        return self.world.dice.choice(rows) if rows else None

    def _cancel(self, row: Reservation | None) -> str:
        dice = self.world.dice
        wish = dice.choice((cancelling.GUEST, cancelling.Wish(is_by_operator=True), cancelling.Wish(fee=500)))
        if row is not None:
            cancelling.cancel(
                operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=_MARTA,
                reason="the wind", wish=wish,
            )  # fmt: skip
        return "done"

    def _take(self, row: Reservation | None) -> str:
        """Take cash, while a card may be on its way."""
        if row is not None:
            receipts.take(
                operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=_MARTA,
                request=receipts.Request(method=self.world.dice.choice((ReceiptMethod.CASH, ReceiptMethod.TERMINAL))),
            )  # fmt: skip
        return "done"

    def _adjust(self, row: Reservation | None) -> str:
        """Sell an extra, or give a discount or goodwill."""
        kind = self.world.dice.choice((AdjustmentKind.EXTRA, AdjustmentKind.DISCOUNT, AdjustmentKind.GOODWILL))
        if row is not None:
            adjusting.adjust(
                operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=_MARTA,
                request=adjusting.Request(kind=kind, amount=self.world.dice.choice((700, 2000)), reason="asked for"),
            )  # fmt: skip
        return "done"

    def _withdraw(self, row: Reservation | None) -> str:
        """Take an extra back, or a discount."""
        sold = Adjustment.objects.filter(reservation=row, kind__in=("extra", "discount"))
        change = sold.order_by("id").first()
        if change is not None:
            adjusting.withdraw(
                adjustment_id=change.pk, operation_id=ids.new_id(), actor=_MARTA, reason="not wanted any more"
            )
        return "done"

    def _pay_out(self, row: Reservation | None) -> str:
        """Give out of the till what is too much in hand."""
        for each in Reservation.objects.filter(operator=self.shop.operator, amount_collected__gt=0).order_by("id"):
            if each.balance < 0:
                receipts.pay_out(
                    operator=each.operator, reservation_id=each.pk, operation_id=ids.new_id(), actor=_MARTA,
                    request=receipts.Request(method=ReceiptMethod.CASH),
                )  # fmt: skip
        return "done"

    def _correct(self, row: Reservation | None) -> str:
        """Take a receipt back that was wrong."""
        receipt = Receipt.objects.filter(reservation=row, amount__gt=0, method=ReceiptMethod.CASH).first()
        if receipt is not None and self.world.dice.random.random() < 0.5:
            receipts.correct(receipt_id=receipt.pk, operation_id=ids.new_id(), actor=_MARTA, reason="another guest's")
        return "done"

    def _count(self, row: Reservation | None) -> str:
        """Count the till, or open one."""
        operator = self.shop.operator
        till = Till.objects.filter(operator=operator, closed_at=None).first()
        if till is None:
            tills.open_till(operator=operator, name="Till", currency="USD", amount=0, actor=_MARTA)
        else:
            tills.close(till_id=till.pk, counted=tills.expected(till), actor=_MARTA, reason="evening")
        return "done"

    def _refund(self, row: Reservation | None) -> str:
        if row is not None and row.payment_id is not None:
            amount = self.world.dice.choice((None, 1000))
            self._give_back(row.payment_id, amount, keep_places=self.world.dice.choice((False, False, True)))
        return "done"

    def _refund_api(self, row: Reservation | None) -> str:
        payments = list(Payment.objects.filter(operator=self.shop.operator, managed_by="").order_by("id"))
        if payments:
            self._give_back(self.world.dice.choice(payments).pk, None)
        return "done"

    def _give_back(self, payment_id: Any, amount: int | None, *, keep_places: bool = False) -> None:
        refunds.request(
            operator=self.shop.operator, payment_id=payment_id, operation_id=ids.new_id(), amount=amount,
            reason="requested_by_customer", actor=_MARTA, keep_places=keep_places,
        )  # fmt: skip

    def _move(self, row: Reservation | None) -> str:
        slot = self.world.dice.choice(self.shop.slots)
        if row is not None:
            rescheduling.reschedule(
                operator=row.operator, reservation_id=row.pk, slot_id=slot.pk, actor=_MARTA, reason="calmer"
            )
        return "done"

    def _extend(self, row: Reservation | None) -> str:
        if row is not None:
            extending.extend(operator=row.operator, reservation_id=row.pk, minutes=10, actor=_MARTA, reason="asked")
        return "done"

    def _close(self, row: Reservation | None) -> str:
        slot = self.world.dice.choice(self.shop.slots)
        act = slots.close if self.world.dice.random.random() < 0.5 else slots.reopen
        act(slot_id=slot.pk, actor=_MARTA, reason="wind")
        return "done"

    def _another_round(self, row: Reservation | None) -> str:
        """Let a command be tried again that ran out of attempts."""
        given_up = list(Command.objects.filter(GIVEN_UP, payment__operator=self.shop.operator).order_by("id"))
        if given_up:
            commands.give_another_round(command_id=self.world.dice.choice(given_up).pk)
        return "done"

    def _edit(self, row: Reservation | None) -> str:
        """Write another time into a departure, past every form: nobody who has booked it may be moved by that."""
        slot = self.world.dice.choice(self.shop.slots)
        if self.world.dice.happens("edit"):
            later = timedelta(days=self.world.dice.choice((1, 30)))
            at = Slot.objects.get(pk=slot.pk)
            Slot.objects.filter(pk=slot.pk).update(starts_at=at.starts_at + later, ends_at=at.ends_at + later)
            if Reservation.objects.filter(slot=slot).exists():
                self.world.faults.append(f"P11: departure {slot.pk} moved under its guests")
        return "done"

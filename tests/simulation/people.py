"""Who acts in a world: guests who press again, and staff who cancel, refund, move and close."""

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from booking import cancelling, extending, moving, slots
from booking.models import Reservation
from common import ids
from common.errors import HoldfastError
from payments import refund_requests
from payments.models import Payment
from tests.api import Frontend, reservation_body
from tests.simulation.shop import Shop
from tests.simulation.world import World

CARDS = ("pm_card_visa",) * 6 + ("pm_card_chargeDeclined", "pm_card_authenticationRequired", None)
_TRIES = 6
_DOES = {"reservations": "reserves", "payment_intents": "makes a payment"}
_MARTA = "user:marta"


class Guest:
    """Somebody who wants places, by a frontend that retries with the same key as long as it heard nothing sure."""

    kind = "reservations"

    def __init__(self, world: World, shop: Shop, number: int) -> None:
        self.world, self.number = world, number
        self.frontend: Frontend = shop.frontend()
        self.answers: dict[str, bytes] = {}
        """The first stored answer to each key: it must be the answer ever after."""
        self.made: str | None = None
        """What came of it: the id of a reservation, or of a payment intent."""
        dice = world.dice
        self._body = reservation_body(
            dice.choice(shop.slots),
            adults=dice.choice((1, 1, 2)),
            card=dice.choice(CARDS),
            capture_method=dice.choice(("manual", "manual", "automatic")),
        )
        self._wish = dice.choice(("confirm", "confirm", "confirm", "cancel", "leave"))
        self._presses_again = dice.random.random() < 0.3

    def reserve(self) -> None:
        """Reserve, then do what this guest wants."""
        self._ask(self.kind, self._body, then=self._reserved)

    def _reserved(self, answer: Any) -> None:
        if answer.status_code in (201, 202):
            self.made = answer.json()["reservation"]["id"]
            if self._wish != "leave":
                self.world.at(self.world.soon(5, 1200), f"{self} goes on", self._go_on)

    def _go_on(self) -> None:
        self._ask(f"{self.kind}/{self.made}/{self._wish}", {}, then=lambda answer: None)

    def _ask(self, path: str, body: Any, *, then: Callable[[Any], None]) -> None:
        key = str(uuid.UUID(int=self.world.dice.random.getrandbits(128), version=4))
        if self._presses_again:
            self.world.at(self.world.soon(0, 40), f"{self} presses again", lambda: self._send(path, body, key, 1, then))
        self._send(path, body, key, _TRIES, then)

    def _send(self, path: str, body: Any, key: str, tries: int, then: Callable[[Any], None]) -> None:
        who = f"the web process of {self}"
        call = (
            self.frontend.patch
            if path.startswith("payment_intents/") and path.endswith("confirm")
            else self.frontend.post
        )
        answer = self.world.mortal(who, lambda: call(path, body, key=key))
        status = None if answer is None else answer.status_code
        told = "" if answer is None or status in (200, 201, 202) else f" {answer.json()['error']['code']}"
        does = _DOES.get(path, f"asks to {path.split('/')[-1]}")
        self.world.tell(f"{self} {does}: {'no answer' if status is None else status}{told}")
        if status == 500:
            self.world.faults.append(f"500: {self} asked for {path}: nothing that is done to us is a fault of ours")
        if status is None or status >= 500 or (status in (409, 429) and "Retry-After" in answer):
            if tries > 1:
                again = partial(self._send, path, body, key, tries - 1, then)
                self.world.at(self.world.soon(2, 60), f"{self} tries again", again)
            return
        self._keep(key, status, answer.content)
        then(answer)

    def _keep(self, key: str, status: int, content: bytes) -> None:
        if status in (401, 403, 409, 429):
            return  # not kept under the key
        known = self.answers.setdefault(key, content)
        assert known == content, f"P9: {key} was answered in two ways: {known!r} and {content!r}"

    def __str__(self) -> str:
        return f"guest {self.number}"


class Payer(Guest):
    """Somebody whose frontend uses the payments API by itself: an intent, a hold, a capture, a refund."""

    kind = "payment_intents"

    def reserve(self) -> None:
        """Make an intent that is confirmed at once."""
        body = {
            "amount": 2599, "currency": "USD", "payment_method_id": "pm_card_visa",
            "capture_method": self._body["payment"]["capture_method"],
        }  # fmt: skip
        self._ask(self.kind, body, then=self._made)

    def _made(self, answer: Any) -> None:
        if answer.status_code == 201:
            self.made = answer.json()["id"]
            steps = ["confirm"]
            if self._body["payment"]["capture_method"] == "manual":
                steps.append("capture" if self._wish == "confirm" else "cancel")
            for number, step in enumerate(steps):
                self.world.at(
                    self.world.soon(5 + 300 * number, 300 * (number + 1)), f"{self} goes on", self._step(step)
                )

    def _step(self, step: str) -> Callable[[], None]:
        return lambda: self._ask(f"{self.kind}/{self.made}/{step}", {}, then=lambda answer: None)

    def __str__(self) -> str:
        return f"payer {self.number}"


class Stranger:
    """A frontend of another operator, which has come to know what belongs to a guest here."""

    def __init__(self, world: World, shop: Shop, guest: Guest) -> None:
        self.world, self.frontend, self.guest = world, shop.frontend(), guest

    def intrude(self) -> None:
        """Try to read and to change it: for this operator there is no such thing (P10)."""
        if self.guest.made is None:
            return
        for ask, path in ((self.frontend.get, ""), (self.frontend.post, "/cancel")):
            answer = ask(f"{self.guest.kind}/{self.guest.made}{path}")
            if answer.status_code != 404:
                self.world.faults.append(f"P10: a stranger asked for {self.guest}{path}: {answer.status_code}")
        if self.guest.made in self.frontend.get(self.guest.kind).content.decode():
            self.world.faults.append(f"P10: a stranger was shown {self.guest}")
        self._forge()

    def _forge(self) -> None:
        """Claim that some money was taken, in an event that the provider has not signed (P3)."""
        intents = self.world.provider.list_intents()
        if intents:
            intent = self.world.dice.choice(intents)
            paid = intent | {"status": "succeeded", "amount_received": intent["amount"]}
            body = {"id": f"evt_forged_{self.guest.number}", "object": "event", "type": "payment_intent.succeeded",
                    "api_version": "2025-01-27.acacia", "created": int(self.world.clock.now()), "livemode": False,
                    "data": {"object": paid}}  # fmt: skip
            status = self.world.post_event(body, secret="whsec_guessed").status_code
            if status != 400:
                self.world.faults.append(f"P3: a forged event was answered {status}")


class Staff:
    """Somebody in the backoffice, who does one thing after the other to what is there."""

    def __init__(self, world: World, shop: Shop) -> None:
        self.world, self.shop = world, shop

    def act(self) -> None:
        """Do something to some reservation, or to a departure."""
        if self.world.is_over:
            return
        done = self.world.dice.choice(
            (self._cancel, self._refund, self._move, self._extend, self._close, self._refund_api)
        )
        row = self._some()
        what = done.__name__.strip("_")
        try:
            result = self.world.mortal("the web process of the staff", lambda: done(row))
            self.world.tell(f"staff: {what} {'' if row is None else row.reference}: {result}")
        except HoldfastError as refusal:
            self.world.tell(f"staff: {what}: refused, {refusal.code}")
        self.world.at(self.world.soon(60, 600), "the staff", self.act)

    def _some(self) -> Reservation | None:
        rows = list(Reservation.objects.filter(operator=self.shop.operator).select_related("operator").order_by("id"))
        return self.world.dice.choice(rows) if rows else None

    def _cancel(self, row: Reservation | None) -> str:
        if row is not None:
            cancelling.cancel(
                operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=_MARTA, reason="the wind"
            )
        return "done"

    def _refund(self, row: Reservation | None) -> str:
        if row is not None:
            amount = self.world.dice.choice((None, 1000))
            self._give_back(row.payment_id, amount)
        return "done"

    def _refund_api(self, row: Reservation | None) -> str:
        payments = list(Payment.objects.filter(operator=self.shop.operator, managed_by="").order_by("id"))
        if payments:
            self._give_back(self.world.dice.choice(payments).pk, None)
        return "done"

    def _give_back(self, payment_id: Any, amount: int | None) -> None:
        refund_requests.request(
            operator=self.shop.operator, payment_id=payment_id, operation_id=ids.new_id(), amount=amount,
            reason="requested_by_customer", actor=_MARTA,
        )  # fmt: skip

    def _move(self, row: Reservation | None) -> str:
        slot = self.world.dice.choice(self.shop.slots)
        if row is not None:
            moving.move(operator=row.operator, reservation_id=row.pk, slot_id=slot.pk, actor=_MARTA, reason="calmer")
        return "done"

    def _extend(self, row: Reservation | None) -> str:
        if row is not None:
            extending.extend(operator=row.operator, reservation_id=row.pk, minutes=10, actor=_MARTA, reason="asked")
        return "done"

    def _close(self, row: Reservation | None) -> str:
        slot = self.world.dice.choice(self.shop.slots)
        (slots.close if self.world.dice.random.random() < 0.5 else slots.reopen)(slot_id=slot.pk)
        return "done"


def populate(world: World, shops: Sequence[Shop], *, guests: int) -> None:
    """Have people come to the shops, two of three to the first, and now and then to what is another's."""
    for number in range(guests):
        own, other = (shops[1], shops[0]) if number % 3 == 2 else (shops[0], shops[1])
        guest = (Payer if number % 5 == 4 else Guest)(world, own, number)
        world.at(world.soon(0, 600), f"{guest} comes", guest.reserve)
        if world.dice.happens("stranger"):
            stranger = Stranger(world, other, guest)
            world.at(world.soon(300, 1800), "a stranger", stranger.intrude)
    for shop in shops:
        world.at(world.soon(120, 600), "the staff", Staff(world, shop).act)
    world.at(world.soon(30, 90), "the worker", world.sweep_sometimes)
    if world.dice.happens("outage"):
        world.at(world.soon(0, 1200), "an outage", world.outage)

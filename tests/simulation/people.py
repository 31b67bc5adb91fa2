"""Guests of a world, who press again, and payers whose frontend uses the payments API by itself."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.simulation.shop import Shop
from tests.simulation.world import World
from tests.support.api import Frontend, reservation_body

CARDS = ("pm_card_visa",) * 6 + ("pm_card_chargeDeclined", "pm_card_authenticationRequired", None)
_TRIES = 6
_CHANGES_MIND = 0.2
_DEPOSIT, _UNPAID = 0.25, 0.15
"""How many pay a deposit first, and for how many no provider is asked."""
_WHOLE = 0.08
"""How many want the boat for a whole day."""
_DOES = {"reservations": "reserves", "payment_intents": "makes a payment"}


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
        self._body["on_decline"] = dice.choice(("release", "keep"))
        is_of_boat = self._body["slot_id"] in {str(slot.pk) for slot in shop.slots if slot.activity_id == shop.boat.pk}
        if not is_of_boat and dice.random.random() < _DEPOSIT:
            self._body["plan"] = "deposit"
        elif dice.random.random() < _UNPAID:
            self._body["pay_by"] = dice.choice(("on_arrival", "account"))
            del self._body["payment"]
        elif dice.random.random() < _WHOLE:
            del self._body["slot_id"]
            self._body |= {"resource_id": str(shop.boat.pk), "date": shop.day.isoformat()}
        self._method = self._body.get("payment", {}).get("capture_method", "manual")
        self._wish = dice.choice(("confirm", "confirm", "confirm", "cancel", "leave"))
        self._presses_again = dice.random.random() < 0.3

    def reserve(self) -> None:
        """Reserve, then do what this guest wants."""
        self._ask(self.kind, self._body, then=self._reserved)

    def _reserved(self, answer: Any) -> None:
        if answer.status_code not in (201, 202):
            return
        self.made = answer.json()["reservation"]["id"]
        if (answer.json()["payment"] or {}).get("failure"):
            self.world.at(self.world.soon(1, 300), f"{self} takes another card", self._pay)
        if self._wish != "leave":
            self.world.at(self.world.soon(1, 1200), f"{self} goes on", self._go_on)
        for _ in range(self.world.dice.choice((0, 0, 1, 2))):  # in two tabs
            self.world.at(self.world.soon(600, 3000), f"{self} pays what is left", self._pay)
        if self.world.dice.random.random() < _CHANGES_MIND:
            self.world.at(self.world.soon(900, 4000), f"{self} asks what it would get back", self._cancel)

    def _go_on(self) -> None:
        self._ask(f"{self.kind}/{self.made}/{self._wish}", {}, then=lambda answer: None)

    def _pay(self) -> None:
        """Pay what is left by another attempt, and give up another one that lives."""
        path = f"{self.kind}/{self.made}"
        found = self.frontend.get(path).json()["reservation"]
        body: dict[str, Any] = {"provider": "stripe", "replace": self.world.dice.random.random() < 0.5}
        if card := self.world.dice.choice(CARDS):
            body["payment_method_id"] = card
        if found["balance"] > 0 and found["status"] == "confirmed":
            body["amount"] = found["balance"]
        self._ask(f"{path}/payments", body, then=lambda answer: None)

    def _cancel(self) -> None:
        """Cancel on the terms, as they are told."""
        path = f"{self.kind}/{self.made}"
        told = self.frontend.get(f"{path}/cancellation")
        if told.status_code == 200:
            body = {"expected_refund": told.json()["refund"]}
            self._ask(f"{path}/cancel", body, then=lambda answer: None)

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
            "capture_method": self._method,
        }  # fmt: skip
        self._ask(self.kind, body, then=self._made)

    def _made(self, answer: Any) -> None:
        if answer.status_code == 201:
            self.made = answer.json()["id"]
            steps = ["confirm"]
            if self._method == "manual":
                steps.append("capture" if self._wish == "confirm" else "cancel")
            for number, step in enumerate(steps):
                self.world.at(
                    self.world.soon(5 + 300 * number, 300 * (number + 1)), f"{self} goes on", self._step(step)
                )

    def _step(self, step: str) -> Callable[[], None]:
        return lambda: self._ask(f"{self.kind}/{self.made}/{step}", {}, then=lambda answer: None)

    def __str__(self) -> str:
        return f"payer {self.number}"

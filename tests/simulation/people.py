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
        if dice.random.random() < _WHOLE:
            del self._body["slot_id"]
            self._body |= {"resource_id": str(shop.boat.pk), "date": shop.day.isoformat()}
        self._wish = dice.choice(("confirm", "confirm", "confirm", "cancel", "leave"))
        self._presses_again = dice.random.random() < 0.3

    def reserve(self) -> None:
        """Reserve, then do what this guest wants."""
        self._ask(self.kind, self._body, then=self._reserved)

    def _reserved(self, answer: Any) -> None:
        if answer.status_code in (201, 202):
            self.made = answer.json()["reservation"]["id"]
            if self._wish != "leave":
                self.world.at(self.world.soon(1, 1200), f"{self} goes on", self._go_on)

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

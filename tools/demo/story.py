"""The demo: a day at an operator's, played on the running stack. What it tells is checked, not only shown."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from common import currencies
from tools.demo import places
from tools.demo.output import complain, console, say
from tools.demo.shop import Failed, Provider, Shop, expect, wait

GUESTS = 40
PLACES = 3


class Story:
    """The steps, in their order; each stands alone but for what the shop remembers."""

    def __init__(self, demo: dict[str, Any]) -> None:
        self.shop = Shop(demo["base_url"], demo["api_key"])
        self.other_shop = Shop(demo["base_url"], demo["other_operator_api_key"])
        self.provider = Provider(demo["sandbox_url"])

    def browse(self) -> None:
        """A guest looks at what there is"""
        for activity in self.shop.get("resources")["results"]:
            rates = " · ".join(
                f"{rate['name']} {money(rate['amount'], activity['currency'])}" for rate in activity["rates"]
            )
            show(activity["name"], rates)
        slot = self.shop.find_slot(free=2)
        show("a departure", f"{slot['starts_at']}, {slot['available']} of {slot['capacity']} places free")

    def press_twice(self) -> None:
        """She reserves two places, and presses the button twice"""
        key = str(uuid4())
        slot = self.shop.find_slot(free=2)
        first, second = (self.shop.reserve(slot, adults=2, key=key) for _ in range(2))
        made = answered(first, 201)
        expect("the same answer, byte for byte", that=first.content == second.content, found=second.text)
        expect("the second to be a replay", that=second.headers.get("Idempotent-Replayed") == "true")
        held = self.only_intent(made, "requires_capture")
        show("reservation", f"{made['reservation']['reference']} is {made['reservation']['status']}")
        show("at the provider", f"one hold of {money(held['amount'], held['currency'])}, no second one")

    def lose_an_answer(self) -> None:
        """The provider holds the money, and its answer is lost on the way"""
        self.provider.fault("POST /v1/payment_intents", "drop_answer")
        made = answered(self.shop.reserve(self.shop.find_slot(free=1)), 202)
        show("told the guest", f"202, {made['reservation']['status']}: not known yet, and said so")
        self.shop.wait_until(made["reservation"]["id"], "pending")
        self.only_intent(made, "requires_capture")
        show("a moment later", "pending, with one hold: the provider's own event has told us")

    def race(self) -> None:
        """Forty guests want the last three places, at the same moment"""
        slot = self.shop.find_slot(free=PLACES)
        if slot["available"] > PLACES:
            answered(self.shop.reserve(slot, adults=slot["available"] - PLACES), 201)
        with ThreadPoolExecutor(GUESTS) as guests:
            answers = list(guests.map(lambda _: self.shop.reserve(slot), range(GUESTS)))
        sold = [answer for answer in answers if answer.status_code == 201]
        told = {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409}
        others = {answer.status_code for answer in answers} - {201, 409}
        expect(f"{PLACES} sold and no error", that=len(sold) == PLACES and not others, found=(len(sold), others))
        show("sold", f"{len(sold)} of {PLACES}; {GUESTS - len(sold)} were told: {', '.join(sorted(told))}")
        show("places left", str(self.shop.get(f"slots/{slot['id']}")["available"]))

    def confirm(self) -> None:
        """The operator confirms; somebody forges the news that it is paid; then the provider says so"""
        self.provider.webhooks("hold")
        made = answered(self.shop.reserve(self.shop.find_slot(free=1)), 201)
        reservation_id = made["reservation"]["id"]
        confirmed = answered(self.shop.post(f"reservations/{reservation_id}/confirm"), 200)
        show("confirmed", f"reservation {confirmed['reservation']['status']}, payment {confirmed['payment']['status']}")
        forged = self.shop.deliver_forged({"id": "evt_forged", "type": "payment_intent.succeeded"})
        expect("400 for a forged event", that=forged.status_code == 400, found=forged.text)
        show("a forged event", f"400 {forged.json()['error']['code']}; still {self.status(reservation_id)}")
        self.provider.webhooks("deliver")
        self.provider.flush()
        self.shop.wait_until(reservation_id, "paid")
        for line in self.shop.get(f"reservations/{reservation_id}/history"):
            show(line["at"][11:19], f"{line['from'] or '—'} → {line['to']}   by {line['actor']}: {line['reason']}")

    def decline(self) -> None:
        """A card is declined, and its place is free again"""
        slot = self.shop.find_slot(free=1)
        refused = self.shop.reserve(slot, card="pm_card_chargeDeclined")
        error = answered(refused, 422)["error"]
        after = self.shop.get(f"slots/{slot['id']}")
        expect("no place lost", that=after["available"] == slot["available"], found=after["available"])
        show("the guest reads", f"{error['code']}: {error['message']}")
        show("places free", f"{after['available']}, as before")

    def run_out(self) -> None:
        """Another guest wanders off, and the hold runs out"""
        slot = self.other_shop.find_slot(free=1)
        made = answered(self.other_shop.reserve(slot), 201)
        self.other_shop.wait_until(made["reservation"]["id"], "expired")
        manage("expire_reservations")
        wait("the hold is released", lambda: self.intents(made)[0]["status"] == "canceled")
        after = self.other_shop.get(f"slots/{slot['id']}")
        expect("the place to be free again", that=after["available"] == slot["available"], found=after["available"])
        show("five seconds later", "expired: the place is free, and the hold is released at the provider")

    def double(self) -> None:
        """The provider delivers each event twice"""
        self.provider.webhooks("double")
        made = answered(self.shop.reserve(self.shop.find_slot(free=1)), 201)
        reservation_id = made["reservation"]["id"]
        answered(self.shop.post(f"reservations/{reservation_id}/confirm"), 200)
        self.shop.wait_until(reservation_id, "paid")
        self.provider.flush()
        told = [line["to"] for line in self.shop.get(f"reservations/{reservation_id}/history")]
        expect("paid once", that=told.count("paid") == 1, found=told)
        show("history", " → ".join(told))

    def lose_a_webhook(self) -> None:
        """The provider's webhook is lost for good, and the reservation is paid all the same"""
        self.provider.webhooks("drop")
        made = answered(self.shop.reserve(self.shop.find_slot(free=1)), 201)
        reservation_id = made["reservation"]["id"]
        confirmed = answered(self.shop.post(f"reservations/{reservation_id}/confirm"), 200)
        show("confirmed", f"{confirmed['reservation']['status']}; the money is taken, and nobody tells us")
        recovered = json.loads(manage("recover_events", "--json"))["summary"]
        self.shop.wait_until(reservation_id, "paid")
        self.provider.webhooks("deliver")
        show("recover_events", f"{recovered['events']} events were read at the provider and put through the inbox")
        paid = self.shop.get(f"reservations/{reservation_id}/history")[-1]
        show("paid", f"by {paid['actor']}, as if the webhook had come")

    def verify(self) -> None:
        """Every promise is checked, on our side and at the provider"""
        verdicts = json.loads(manage("verify", "--provider", "--json"))
        for verdict in verdicts:
            console.print("    [green]✓[/green]" if verdict["holds"] else "    [red]✗[/red]", end=" ")
            say(f"{verdict['promise']}  {verdict['text']}")
        expect("every promise to hold", that=all(verdict["holds"] for verdict in verdicts), found=verdicts)

    def status(self, reservation_id: str) -> str:
        """Read where a reservation stands."""
        return str(self.shop.get(f"reservations/{reservation_id}")["reservation"]["status"])

    def intents(self, made: dict[str, Any]) -> list[dict[str, Any]]:
        """List the payment intents of a reservation at the provider."""
        return self.provider.intents(made["payment"]["id"])

    def only_intent(self, made: dict[str, Any], status: str) -> dict[str, Any]:
        """Return the one payment intent that a reservation must have."""
        found = self.intents(made)
        expect(f"one intent, {status}", that=[row["status"] for row in found] == [status], found=found)
        return found[0]


def play(demo_json: Path) -> int:
    """Play the story on the stack that the file describes; 0 if all of it is as it has to be."""
    story = Story(places.read_json(demo_json))
    steps: list[Callable[[], None]] = [
        story.browse,
        story.press_twice,
        story.lose_an_answer,
        story.race,
        story.confirm,
        story.decline,
        story.run_out,
        story.double,
        story.lose_a_webhook,
        story.verify,
    ]
    try:
        for number, step in enumerate(steps, start=1):
            say("")
            say(f"{number}. {(step.__doc__ or '').strip()}", style="bold")
            step()
    except (Failed, requests.RequestException) as problem:
        complain(f"    ✗ {problem}")
        return 1
    finally:
        story.provider.webhooks("deliver")
    say("")
    say("Nothing sold twice, nothing charged twice, nothing left hanging.", style="bold green")
    return 0


def answered(answer: requests.Response, status: int) -> Any:
    """Return the body of an answer that must have a status."""
    expect(f"status {status}", that=answer.status_code == status, found=f"{answer.status_code} {answer.text}")
    return answer.json()


def show(what: str, text: str) -> None:
    """Tell one thing on a line of its own."""
    console.print(f"    [cyan]{what:<19}[/cyan]", end=" ")
    say(text)


def money(amount: int, currency: str) -> str:
    """Write an amount of minor units; the provider writes its currencies in lower case."""
    return currencies.shown(amount, currency.upper())


def manage(*arguments: str) -> str:
    """Run a management command of this checkout and return what it says."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, check=False).stdout  # noqa: S603

"""Who has no business in a shop: a stranger's frontend, an operator who signs for others, a sender of odd events."""

from typing import Any

from tests.simulation.people import Guest
from tests.simulation.shop import ROGUE, Shop
from tests.simulation.world import ROGUE_SECRETS, World
from tools.sandbox.stripe.objects import EventRecord


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
            body = event_of(self.world, intent | {"status": "succeeded", "amount_received": intent["amount"]})
            body["id"] = f"evt_forged_{self.guest.number}"
            status = self.world.post_event(body, secret="whsec_guessed").status_code
            if status != 400:
                self.world.faults.append(f"P3: a forged event was answered {status}")


class Rogue:
    """An operator with an account and a secret of its own, who signs that another's guest has paid (P3)."""

    def __init__(self, world: World) -> None:
        self.world = world

    def forge(self) -> None:
        """Say of somebody's payment that it was taken, at every address that there is."""
        intents = self.world.provider.list_intents()
        if not intents:
            return
        intent = self.world.dice.choice(intents)
        account = self.world.provider.account_of(intent["id"])
        event = event_of(self.world, intent | {"status": "succeeded", "amount_received": intent["amount"]})
        event |= {"id": f"evt_rogue_{intent['id']}"} | ({"account": account} if account else {})
        for path in ("/webhooks/stripe", f"/webhooks/stripe/{ROGUE}", f"/webhooks/stripe/{account or 'acct_platform'}"):
            status = self.world.post_event(event, secret=ROGUE_SECRETS["STRIPE_ROGUE_WEBHOOK_SECRETS"], path=path)
            self._judge(status.status_code, path, named=bool(account))
        self.world.tell(f"the rogue signs that {intent['id']} is paid")

    def _judge(self, status: int, path: str, *, named: bool) -> None:
        if status != 400 and (named or not path.endswith(ROGUE)):  # what names no account is of the rogue's own
            self.world.faults.append(f"P3: an event that the rogue signed was answered {status} at {path}")


class Odd:
    """The provider itself, on a bad day: authentic events that are not as they should be (P4)."""

    def __init__(self, world: World, shop: Shop) -> None:
        self.world, self.shop = world, shop

    def send(self) -> None:
        """Deliver an odd event, and keep it among those that can be read again."""
        account = self.world.provider.sandbox.account(self.shop.account or None)
        intents = list(account.payment_intents.values())
        if not intents:
            return
        intent = self.world.dice.choice(intents)
        field, value = self.world.dice.choice(ODD)
        event = event_of(self.world, {**intent, field: value})
        event |= {"id": f"evt_odd_{field}_{intent['id']}"} | ({"account": account.id} if account.id else {})
        account.events[event["id"]] = EventRecord(event, has_endpoint=True)
        answer = self.world.post_event(event)
        self.world.tell(f"an odd event, {field} is {value!r}: {answer.status_code}")
        if answer.status_code != 200:
            self.world.faults.append(f"P4: an odd event ({field} is {value!r}) was answered {answer.status_code}")


ODD: tuple[tuple[str, Any], ...] = (
    ("status", None), ("status", {"object": "text"}), ("currency", None), ("currency", 7), ("amount", "much"),
    ("amount", 10**30), ("amount_received", -1), ("amount_received", 1.5), ("metadata", "none"), ("metadata", [1]),
    ("metadata", {"holdfast_payment": {"id": 1}}), ("client_secret", "s" * 70_000), ("next_action", "jump"),
    ("latest_charge", 5), ("last_payment_error", "no"), ("customer", "\x00"), ("description", "\ud800"),
)  # fmt: skip
"""What an odd event says, field by field."""


def event_of(world: World, intent: dict[str, Any]) -> dict[str, Any]:
    """Write the event that says that a payment was taken."""
    return {
        "object": "event", "type": "payment_intent.succeeded", "api_version": "2025-01-27.acacia", "livemode": False,
        "created": int(world.clock.now()), "data": {"object": intent},
    }  # fmt: skip

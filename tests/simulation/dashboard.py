"""Somebody at the provider's own dashboard: captures, releases and refunds there; we only hear of them by events."""

from collections.abc import Callable

from tests.simulation.shop import Shop
from tests.simulation.world import World
from tools.sandbox.form import Params
from tools.sandbox.stripe import capturing, refunds
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import StripeError
from tools.sandbox.stripe.objects import StripeObject

_PART = 1000


class Dashboard:
    """An owner who clicks in the provider's dashboard, and a bank that sends a refund back days later."""

    def __init__(self, world: World, shop: Shop) -> None:
        self.world, self.shop = world, shop

    def act(self) -> None:
        """Do something to some payment of the shop's account."""
        if self.world.is_over:
            return
        act = self.world.dice.choice(
            (self._capture, self._capture_part, self._release, self._refund, self._refund_part)
        )
        what = act.__name__.strip("_").replace("_", " ")
        account = self.world.provider.sandbox.account(self.shop.account or None)
        intents = list(account.payment_intents.values())
        if intents:
            intent = self.world.dice.choice(intents)
            try:
                act(account, intent)
                self.world.tell(f"dashboard: {what} {intent['id']}")
            except StripeError as refusal:
                self.world.tell(f"dashboard: {what} {intent['id']}: refused, {refusal.code}")
        self.world.at(self.world.soon(60, 900), "the dashboard", self.act)

    def _capture(self, account: Account, intent: StripeObject) -> None:
        capturing.capture(account, intent["id"], {})

    def _capture_part(self, account: Account, intent: StripeObject) -> None:
        capturing.capture(account, intent["id"], {"amount_to_capture": str(_PART)})

    def _release(self, account: Account, intent: StripeObject) -> None:
        capturing.cancel(account, intent["id"], {})

    def _refund(self, account: Account, intent: StripeObject) -> None:
        self._give_back(account, {"payment_intent": intent["id"]})

    def _refund_part(self, account: Account, intent: StripeObject) -> None:
        self._give_back(account, {"payment_intent": intent["id"], "amount": str(_PART)})

    def _give_back(self, account: Account, given: Params) -> None:
        refunds.create(account, given)


def send_back_later(world: World, account: Account, refund: StripeObject) -> None:
    """Have the bank send a refund back in a while."""
    world.at(world.soon(60, 3600), "the bank", _sending_back(world, account, refund["id"]))


def _sending_back(world: World, account: Account, refund_id: str) -> Callable[[], None]:
    def send_back() -> None:
        try:
            refunds.fail(account, refund_id)
            world.tell(f"the bank sends refund {refund_id} back")
        except StripeError as refusal:
            world.tell(f"the bank does not send refund {refund_id} back: {refusal.message}")

    return send_back

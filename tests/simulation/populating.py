"""Who comes to the shops of a world, and when."""

from collections.abc import Sequence

from tests.simulation.dashboard import Dashboard, send_back_later
from tests.simulation.outsiders import Odd, Rogue, Stranger
from tests.simulation.people import Guest, Payer
from tests.simulation.shop import Shop
from tests.simulation.staff import Staff
from tests.simulation.world import World


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
        _staff(world, shop)
    world.at(world.soon(30, 90), "the worker", world.sweep_sometimes)
    _trouble(world)


def _staff(world: World, shop: Shop) -> None:
    """Have people of the shop come to the desk, and to the provider's own dashboard, where odd things happen too."""
    world.at(world.soon(120, 600), "the staff", Staff(world, shop).act)
    if world.dice.happens("dashboard"):
        world.at(world.soon(60, 900), "the dashboard", Dashboard(world, shop).act)
    if world.dice.happens("odd"):
        for _ in range(3):
            world.at(world.soon(120, 1800), "an odd event", Odd(world, shop).send)


def _trouble(world: World) -> None:
    """Have a provider that goes away or does not know us, a bank that sends money back, and somebody who forges."""
    world.refunded = lambda event: send_back_later(
        world, world.provider.sandbox.account(event.get("account")), event["data"]["object"]
    )
    if world.dice.happens("rogue"):
        for _ in range(2):
            world.at(world.soon(120, 1800), "a rogue", Rogue(world).forge)
    if world.dice.happens("outage"):
        world.at(world.soon(0, 1200), "an outage", world.outage)
    if world.dice.happens("wrong_key"):
        world.at(world.soon(60, 1500), "a wrong key", world.lose_key)

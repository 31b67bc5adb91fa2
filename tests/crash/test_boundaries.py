"""Real deaths: whatever is being done, and wherever the process is killed, sweeps and retries bring it to its end.

After each death: time passes, the frontend asks again with its key, the sweeps run, the provider's events arrive. Then
every promise holds on our side and at the provider, and everything happened exactly once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from booking.models import Reservation
from catalogue.models import Slot
from payments.models import Payment
from payments.providers.stripe import params as stripe_params
from sweeps import registry as sweeps
from tests.support import promises, stripe_events
from tests.support.aging import end_leases, run_out
from tests.support.api import Frontend
from tests.support.dying import run_and_die
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

MOST_BOUNDARIES = 40
SWEEPS = ("expire_reservations", "send_commands", "retry_events")


@dataclass
class World:
    """A slot, a frontend at it, and the reservation that it is about."""

    sandbox: Sandbox
    slot: Slot
    frontend: Frontend
    made: dict[str, Any] = field(default_factory=dict)

    def reserve(self, **changes: Any) -> None:
        """Make the reservation that something is then done to."""
        self.made = self.frontend.reserve(self.slot, **changes).json()

    def ask(self, action: str) -> Any:
        """Have something done to it, always with the same key."""
        return self.frontend.post(f"reservations/{self.made['reservation']['id']}/{action}", key=f"key-of-{action}")

    def settle_down(self) -> None:
        """Do what time does: leases end, sweeps run, events arrive."""
        for _ in range(3):
            end_leases()
            for name in SWEEPS:
                sweeps.run(name)
            stripe_events.deliver_all(self.sandbox)


@dataclass(frozen=True)
class Operation:
    """Something during which a process may die, and how the world is to be in the end."""

    name: str
    prepare: Callable[[World], object]
    run: Callable[[World], Any]
    ends_as: tuple[str, str]
    """The reservation here, and the payment intent at the provider."""
    captured: int = 0
    boundaries: int = 4
    """At the least; fewer found would mean that nothing was tested."""
    answers: tuple[int, ...] = ()
    """What the frontend may be told when it asks again; empty: nobody asks."""


def nothing(world: World) -> None:
    """Need no preparation."""


def make_and_confirm(world: World) -> None:
    world.reserve()
    world.ask("confirm")


def make_and_run_out(world: World) -> None:
    world.reserve()
    run_out(world.made["reservation"]["id"])


def lose_the_answer(world: World) -> None:
    """Leave a command whose outcome nobody knows."""
    world.sandbox.fault("POST /v1/payment_intents", "drop_answer")
    world.reserve()
    assert world.made["reservation"]["status"] == "awaiting_payment"
    end_leases()


OPERATIONS = [
    Operation(
        name="reserve",
        prepare=nothing,
        run=lambda world: world.frontend.reserve(world.slot, key="key-of-reserve"),
        ends_as=("pending", "requires_capture"),
        answers=(201,),
    ),
    Operation(
        name="reserve, taking the money",
        prepare=nothing,
        run=lambda world: world.frontend.reserve(world.slot, key="key-of-reserve", capture_method="automatic"),
        ends_as=("paid", "succeeded"),
        captured=4500,
        answers=(201,),
    ),
    Operation(
        name="reserve, declined",
        prepare=nothing,
        run=lambda world: world.frontend.reserve(world.slot, key="key-of-reserve", card="pm_card_chargeDeclined"),
        ends_as=("failed", "canceled"),
        answers=(422,),
    ),
    Operation(
        name="confirm",
        prepare=World.reserve,
        run=lambda world: world.ask("confirm"),
        ends_as=("paid", "succeeded"),
        captured=4500,
        answers=(200,),
    ),
    Operation(
        name="cancel",
        prepare=World.reserve,
        run=lambda world: world.ask("cancel"),
        ends_as=("cancelled", "canceled"),
        answers=(200,),
    ),
    Operation(
        name="expire",
        prepare=make_and_run_out,
        run=lambda world: sweeps.run("expire_reservations"),
        ends_as=("expired", "canceled"),
    ),
    Operation(
        name="send commands",
        prepare=lose_the_answer,
        run=lambda world: sweeps.run("send_commands"),
        ends_as=("pending", "requires_capture"),
    ),
    Operation(
        name="inbox",
        prepare=make_and_confirm,
        run=lambda world: stripe_events.deliver_all(world.sandbox),
        ends_as=("paid", "succeeded"),
        captured=4500,
    ),
]


def play(sandbox: Sandbox, operation: Operation, *, at: int, ask_first: bool) -> bool:
    """Play one life with a death at a boundary; False if there is no such boundary."""
    sandbox.reset()
    slot = SlotFactory.create(capacity=3)
    world = World(sandbox=sandbox, slot=slot, frontend=Frontend.of(slot))
    operation.prepare(world)
    died = run_and_die(lambda: operation.run(world), at=at)
    end_leases()
    if not ask_first:
        world.settle_down()
        end_leases()
    if operation.answers:
        answer = operation.run(world)
        assert answer.status_code in operation.answers, answer.content
    world.settle_down()
    check(world, operation)
    return died


def check(world: World, operation: Operation) -> None:
    """Look at both sides: one reservation, one intent, moved once, and no promise broken."""
    reservation = Reservation.objects.get(slot=world.slot)
    (intent,) = world.sandbox.payment_intents()
    assert (reservation.status, intent["status"]) == operation.ends_as
    assert (intent["amount_received"], reservation.payments[-1].amount_captured) == (operation.captured,) * 2
    assert Payment.objects.filter(managed_id__in=Reservation.objects.filter(slot=world.slot)).count() == 1
    world.slot.refresh_from_db()
    assert world.slot.reserved == (1 if reservation.is_active else 0)
    promises.hold(at_provider=True)


def play_all(sandbox: Sandbox, operation: Operation) -> int:
    """Die at every boundary, one life each; returns how many there are."""
    boundary = 1
    while play(sandbox, operation, at=boundary, ask_first=boundary % 2 == 0):
        boundary += 1
        assert boundary < MOST_BOUNDARIES
    return boundary - 1


class TestKilled:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
    def test_at_every_boundary(self, sandbox: Sandbox, operation: Operation) -> None:
        assert play_all(sandbox, operation) >= operation.boundaries

    def test_is_noticed_without_the_idempotency_key(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """The safety taken out: the second try makes a second intent, and the check above sees it."""

        def forgetful(account: str, key: str | None = None) -> dict[str, str]:
            return {}

        monkeypatch.setattr(stripe_params, "options", forgetful)
        with pytest.raises(ValueError, match="too many values to unpack"):
            play_all(sandbox, OPERATIONS[0])

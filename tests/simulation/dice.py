"""Chance, drawn from a seed: what goes wrong, when, and at which boundary a process dies."""

import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

PRODUCT = (
    "booking", "catalogue", "payments", "webhooks", "reconciliation", "idempotency", "notifications", "sweeps",
    "adminkit",
    "tenants",
)  # fmt: skip


class Died(BaseException):
    """The process is gone: nothing that it would have done comes after this, no handler of errors either."""


@dataclass(frozen=True, slots=True)
class Storm:
    """How likely each fault is, per chance that it has. A kind that is left out does not happen."""

    lost_before: float = 0.04
    """A request never reaches the provider, and the caller hears nothing."""
    lost_after: float = 0.05
    """It takes effect, and its answer is lost."""
    late: float = 0.02
    """The caller gives up, and the request arrives minutes later."""
    error_before: float = 0.03
    error_after: float = 0.03
    """A 500, without and with the effect; Stripe keeps the second under the idempotency key."""
    rate_limit: float = 0.03
    death: float = 0.01
    """At each boundary: before and after a COMMIT, and before and after a call."""
    contention: float = 0.006
    """A lock that is not had in time, a deadlock, or a serialization failure, at a statement that writes."""
    webhook_lost: float = 0.10
    webhook_doubled: float = 0.10
    webhook_late: float = 0.25
    task_lost: float = 0.10
    meanwhile: float = 0.15
    """Something else happens while a call is on its way."""
    outage: float = 0.10
    """The provider is away for a while."""
    stranger: float = 0.10
    """Another operator's frontend tries what belongs to a guest, and somebody forges an event of its money."""
    dashboard: float = 0.35
    """Somebody captures, releases and refunds at the provider's own dashboard, for each shop."""
    refund_refused: float = 0.06
    """The provider refuses a refund for now: there is not enough money in the account."""
    refund_fails: float = 0.08
    """The bank sends a refund back, up to an hour later."""
    wrong_key: float = 0.10
    """Our key is another account's for a while: what is ours is not found there."""
    slow: float = 0.01
    """A call takes longer than its sender's lease, and others take over what they can."""
    edit: float = 0.30
    """Staff change what departures are, booked or not."""
    rogue: float = 0.15
    """An operator with a secret of its own signs events about another's payments."""
    odd: float = 0.15
    """An authentic event is not as it should be, and is among those that are read again."""
    skew: float = 0.30
    """Machines whose own clocks are off, one of them by up to ten minutes, and the provider's too."""

    @classmethod
    def kinds(cls) -> list[str]:
        """List the faults there are."""
        return list(cls.__dataclass_fields__)

    def without(self, kind: str) -> "Storm":
        """Return the storm without one kind of fault."""
        return Storm(**{name: 0.0 if name == kind else getattr(self, name) for name in self.kinds()})


CALM = Storm(**dict.fromkeys(Storm.kinds(), 0.0))


@dataclass
class Dice:
    """Draws; the same seed and storm draw the same, whatever the product does with it."""

    seed: int
    storm: Storm
    met: Counter[str] = field(default_factory=Counter)
    """How often each fault has happened."""
    boundaries: Counter[str] = field(default_factory=Counter)
    """How often each boundary was passed."""
    deaths: Counter[str] = field(default_factory=Counter)
    """How often a process has died at each."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.is_mortal = False
        """Whether what runs now is a process that can die."""

    def happens(self, kind: str) -> bool:
        """Draw whether a fault happens. Drawn also where it cannot, so that a kind can be left out of a storm."""
        chance: float = getattr(self.storm, kind)
        happens = self.random.random() < chance
        if happens:
            self.met[kind] += 1
        return happens

    def boundary(self, what: str) -> None:
        """Pass a boundary, named by its owner.

        Raises:
            Died: The process ends here.
        """
        name = f"{_whose()} {what}"
        self.boundaries[name] += 1
        if self.is_mortal and self.happens("death"):
            self.deaths[name] += 1
            raise Died(name)

    def choice(self, of: Sequence[T]) -> T:
        """Draw one of some."""
        return self.random.choice(of)

    def between(self, least: float, most: float) -> float:
        """Draw a number."""
        return self.random.uniform(least, most)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a seed."""

    seed: int
    guests: int
    storm: Storm
    breaches: list[str]
    story: list[str]
    met: Counter[str] = field(default_factory=Counter)
    boundaries: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)


def _whose() -> str:
    """Name the function of the product that is at work, by the innermost one that is no mere means."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.split(".")[0] in PRODUCT and not module.startswith("payments.providers"):
            return f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "elsewhere"

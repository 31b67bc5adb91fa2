"""What a provider declares of itself.

So that nothing above asks for its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to pay."""

    name: str
    hold: timedelta | None = None
    """How long money can be held before it is taken; None: it is taken at once."""
    code: timedelta | None = None
    """How long a code lives that the guest pays by; None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What can be asked of a provider.

    Parts that only some have are protocols in ``base``.
    """

    methods: Sequence[Method]
    key_lifetime: timedelta
    """How long a repeated idempotency key has no second effect; after it, an older command reads before it writes."""
    partial_capture: bool
    """Whether a part of a hold can be taken; the rest is released."""
    needs_payer: bool
    """Whether it must be told who pays; what it does not need is not given to it."""

    @property
    def longest_hold(self) -> timedelta | None:
        """How long money is held at the longest; None: never."""
        return max((method.hold for method in self.methods if method.hold), default=None)

    @property
    def longest_code(self) -> timedelta | None:
        """How long a code lives at the longest; None: there are none."""
        return max((method.code for method in self.methods if method.code), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What can be charged in a currency, in minor units.

    Multiples of ``step`` within bounds.
    """

    lowest: int
    highest: int
    step: int = 1

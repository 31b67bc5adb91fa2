"""The price of a reservation: our rates times the quantities asked for.

Never a client's figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from catalogue.errors import UnknownUnitError


class OfferedRate(TypedDict):
    """A rate as it was offered at the moment of the sale."""

    unit: str
    name: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedUnit:
    """So many of a unit."""

    unit: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The units sold, one for each place, and their sum (minor units)."""

    sold: Sequence[OfferedRate]
    amount: int

    @property
    def places(self) -> int:
        """How many places it takes."""
        return len(self.sold)


def quote(*, rates: Sequence[OfferedRate], wanted: Sequence[WantedUnit]) -> Quote:
    """Price what is wanted.

    Raises:
        UnknownUnitError: A unit has no rate.
    """
    by_unit = {rate["unit"]: rate for rate in rates}
    sold: list[OfferedRate] = []
    for position, line in enumerate(wanted):
        if line.unit not in by_unit:
            raise UnknownUnitError(position=position, unit=line.unit)
        sold += [by_unit[line.unit]] * line.quantity
    return Quote(sold=sold, amount=sum(rate["amount"] for rate in sold))

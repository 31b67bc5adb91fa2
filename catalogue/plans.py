"""Payment plans of an activity: a deposit first, the balance later."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from common import currencies
from common.times import rfc3339

Step = Mapping[str, Any]
"""What has to be paid in all ``by`` a time (None: at once); ``target`` None: all of it."""

FULL: Sequence[Step] = ({"by": None, "target": None},)
"""All of it at once."""


def full() -> list[Step]:
    """Return the schedule of a price that is paid at once."""
    return [dict(step) for step in FULL]


_PLAN = re.compile(
    r"(?:(?P<percent>\d{1,2}(?:\.\d{1,2})?) %|(?P<amount>\d{1,9}(?:\.\d{1,3})?) per (?P<per>unit|booking)), "
    r"balance (?P<days>\d{1,3}) days before",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A deposit, and the days before the start for the rest."""

    days: int
    percent: Decimal | None = None
    amount: int = 0
    per: str = "booking"

    def deposit(self, *, amount: int, units: int, step: int) -> int:
        """Return the deposit of an amount in minor units.

        Rounded up to the provider's step, never more than all of it.
        """
        wanted = self.amount * (units if self.per == "unit" else 1)
        if self.percent is not None:
            wanted = int(-(-amount * self.percent // 100))
        return min(amount, -(-wanted // step) * step)


def parse(text: str, *, currency: str) -> Plan | None:
    """Read a plan as it is written; None if there is none.

    Raises:
        ValidationError: It is no plan.
    """
    if not text.strip():
        return None
    read = _PLAN.fullmatch(text.strip())
    if read is None:
        raise ValidationError("Write “30 %, balance 14 days before” or “20.00 per unit, balance 7 days before”.")
    if read["percent"] is not None:
        return Plan(days=int(read["days"]), percent=Decimal(read["percent"]))
    try:
        amount = currencies.to_minor(Decimal(read["amount"]), currency)
    except ValueError as error:
        raise ValidationError(f"This is no amount in {currency}.") from error
    return Plan(days=int(read["days"]), amount=amount, per=read["per"])


def schedule(
    plan: Plan | None, *, amount: int, units: int, step: int, starts_at: datetime, now: datetime
) -> Sequence[Step]:
    """Return the schedule of one sale.

    All at once without a plan, or when the balance would be due already.
    """
    if plan is None:
        return FULL
    by = starts_at - timedelta(days=plan.days)
    first = plan.deposit(amount=amount, units=units, step=step)
    if by <= now or first >= amount or first <= 0:
        return FULL
    return ({"by": None, "target": first}, {"by": rfc3339(by), "target": None})

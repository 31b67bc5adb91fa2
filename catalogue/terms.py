"""Cancellation terms of an activity: how much is kept, and when.

Written as a person writes them, a rule on each line, and frozen with each sale as plain values. The first rule whose
time is not over counts; after the last one everything is kept.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from common import currencies

Rule = Mapping[str, Any]
"""``until_hours`` before the start, and what is kept: ``percent``, or ``amount`` (minor units) for ``per``."""

_LINE = re.compile(
    r"until (?P<hours>\d{1,5}) h: keep (?:(?P<percent>\d{1,3}(?:\.\d{1,2})?) %"
    r"|(?P<amount>\d{1,9}(?:\.\d{1,3})?) per (?P<per>unit|booking))",
    re.ASCII,
)
_FORM = "Write rules such as “until 48 h: keep 0 %” or “until 24 h: keep 10.00 per unit”, a line each."


def parse(text: str, *, currency: str) -> list[dict[str, Any]]:
    """Read terms as they are written; none if there are none.

    Raises:
        ValidationError: A line is no rule, or the rules are not in order.
    """
    rules = [_rule(line.strip(), currency) for line in text.splitlines() if line.strip()]
    hours = [rule["until_hours"] for rule in rules]
    if hours != sorted(set(hours), reverse=True):
        raise ValidationError("Put the longest time before the start first, and each only once.")
    return rules


def _rule(line: str, currency: str) -> dict[str, Any]:
    read = _LINE.fullmatch(line)
    if read is None:
        raise ValidationError(f"“{line[:60]}” is no rule. {_FORM}")
    hours = int(read["hours"])
    if read["percent"] is not None:
        percent = Decimal(read["percent"])
        if percent > 100:
            raise ValidationError(f"“{line[:60]}” keeps more than everything.")
        return {"until_hours": hours, "percent": str(percent)}
    try:
        amount = currencies.to_minor(Decimal(read["amount"]), currency)
    except ValueError as error:
        raise ValidationError(f"“{line[:60]}” is no amount in {currency}.") from error
    return {"until_hours": hours, "amount": amount, "per": read["per"]}


def stage(rules: Sequence[Rule], *, starts_at: datetime, now: datetime) -> int:
    """Return which rule counts at a time.

    Past the last one: how many there are.
    """
    for number, rule in enumerate(rules):
        if now <= starts_at - timedelta(hours=rule["until_hours"]):
            return number
    return len(rules)


def fee(rules: Sequence[Rule], *, at_stage: int, amount: int, units: int) -> int:
    """Return what is kept of an amount for some units.

    In minor units. A part of the smallest coin is kept by nobody: it goes to the guest.
    """
    if at_stage >= len(rules):
        return amount
    rule = rules[at_stage]
    if "percent" in rule:
        return int(amount * Decimal(rule["percent"]) / 100)
    kept: int = rule["amount"] * (units if rule["per"] == "unit" else 1)
    return min(amount, kept)


def in_words(rules: Sequence[Rule], *, currency: str) -> list[str]:
    """Say each rule, as it is written."""
    return [f"until {rule['until_hours']} h: keep {_kept(rule, currency)}" for rule in rules]


def _kept(rule: Rule, currency: str) -> str:
    if "percent" in rule:
        return f"{rule['percent']} %"
    return f"{currencies.to_major(rule['amount'], currency)} per {rule['per']}"

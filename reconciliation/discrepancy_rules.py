"""The rules that open and resolve discrepancies from our own rows."""

from collections.abc import Callable, Sequence

from common import loops
from reconciliation import discrepancies, failed_refunds, part_captures, payouts

_RULES: Sequence[Callable[[], int]] = (
    discrepancies.keep_with_stuck,
    discrepancies.keep_with_failed_events,
    part_captures.keep,
    failed_refunds.keep,
    payouts.keep,
)


def apply() -> int:
    """Open and resolve discrepancies by every rule; returns how many opened."""
    return loops.each(_RULES, lambda rule: rule(), name="keep_discrepancies", label=lambda rule: rule.__name__).done

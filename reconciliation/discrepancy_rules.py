"""What a person must see: opened as soon as the facts say so, and resolved as soon as they say so no more."""

from collections.abc import Callable, Sequence

from common import loops
from reconciliation import discrepancies, failed_refunds, part_captures

_RULES: Sequence[Callable[[], int]] = (
    discrepancies.keep_with_stuck,
    discrepancies.keep_with_failed_events,
    part_captures.keep,
    failed_refunds.keep,
)


def apply() -> int:
    """Open and resolve discrepancies of every kind that follows from rows of ours; returns how many were opened."""
    return loops.each(_RULES, lambda rule: rule(), name="keep_discrepancies", label=lambda rule: rule.__name__).done

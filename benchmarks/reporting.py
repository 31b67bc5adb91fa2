"""What rounds came to: medians, of figures and of the parts that they are of others in the same round."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from benchmarks.load import Seen
from benchmarks.workloads import Workload

console = Console(width=140)


@dataclass
class Found:
    """All rounds so far: what was seen of each workload, in order."""

    seen: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))

    def add(self, a_round: Iterable[tuple[str, Seen]]) -> None:
        """Take a round as it goes, and tell of it."""
        for name, seen in a_round:
            self.seen[name].append(seen)
            told = f"{name}: {seen.rate:,.0f}/s, p50 {seen.p50:.1f} ms, p99 {seen.p99:.1f} ms"
            bad = f", {seen.refused} refused, {seen.broken} broken" if seen.refused or seen.broken else ""
            console.print(told + bad, highlight=False)

    def median(self, name: str, figure: str) -> float:
        """Return the median of a figure over the rounds."""
        return float(statistics.median(getattr(seen, figure) for seen in self.seen[name]))

    def part(self, workload: Workload) -> float:
        """Return the median of the part that its figure is of the other's, round by round."""
        pairs = zip(self.seen[workload.name], self.seen[workload.beside], strict=True)
        figure = workload.figure
        parts = (getattr(own, figure) / (getattr(other, figure) or 1e-9) for own, other in pairs)
        return float(statistics.median(parts))


def tell(found: Found, workloads: Sequence[Workload]) -> int:
    """Print the table; returns 1 if something is less (or, where it is to be little, more) than it is to be."""
    table = Table("Workload", "a second", "p50 ms", "p95 ms", "p99 ms", "beside", "part", "to be")
    missed = 0
    for workload in workloads:
        figures = [f"{found.median(workload.name, figure):,.1f}" for figure in ("rate", "p50", "p95", "p99")]
        part = found.part(workload) if workload.beside else None
        is_met = workload.is_met(part) if part is not None else True
        missed += not is_met
        shown = "" if part is None else f"{part:.3f}"
        table.add_row(workload.name, *figures, workload.beside, shown, workload.target, style=None if is_met else "red")
    console.print(table)
    return 1 if missed else 0

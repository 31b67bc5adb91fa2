"""What rounds came to: medians, of figures and of the parts that they are of others in the same round."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tools.benchmarks.load import Seen
from tools.benchmarks.targets import Target

console = Console(width=140)


@dataclass
class Found:
    """All rounds so far: what was seen of each workload, in order."""

    seen: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))

    def add(self, a_round: Iterable[tuple[str, Seen]]) -> None:
        """Take a round as it goes, and tell of it."""
        for name, seen in a_round:
            self.seen[name].append(seen)
            told = f"{name}: {seen.rate:,.0f}/s"
            if not math.isnan(seen.p50):
                told += f", p50 {seen.p50:.1f} ms, p99 {seen.p99:.1f} ms"
            bad = f", {seen.refused} refused, {seen.broken} broken" if seen.refused or seen.broken else ""
            console.print(told + bad, highlight=False)

    def median(self, name: str, figure: str) -> float:
        """Return the median of a figure over the rounds."""
        return float(statistics.median(getattr(seen, figure) for seen in self.seen[name]))

    def part(self, target: Target) -> float:
        """Return the median of the part that its figure is of the other's, round by round."""
        pairs = zip(self.seen[target.name], self.seen[target.beside], strict=True)
        figure = target.figure
        parts = (getattr(own, figure) / (getattr(other, figure) or 1e-9) for own, other in pairs)
        return float(statistics.median(parts))


def tell(found: Found, targets: Sequence[Target]) -> int:
    """Print the table; returns 1 if something is less (or, where it is to be little, more) than it is to be."""
    table = Table("Load", "a second", "p50 ms", "p95 ms", "p99 ms", "beside", "part", "to be")
    missed = 0
    for target in targets:
        medians = {figure: found.median(target.name, figure) for figure in ("rate", "p50", "p95", "p99")}
        figures = ["" if math.isnan(value) else f"{value:,.1f}" for value in medians.values()]
        part = found.part(target) if target.beside else 1.0
        is_met = target.is_met(part, medians["rate"])
        missed += not is_met
        shown = f"{part:.3f}" if target.beside else ""
        table.add_row(target.name, *figures, target.beside, shown, target.wanted, style=None if is_met else "red")
    console.print(table)
    return 1 if missed else 0

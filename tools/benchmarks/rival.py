"""One hot slot and a provider that takes 300 ms, against the way that textbooks sell a place."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tools.benchmarks import databases, filling, workloads
from tools.benchmarks.load import Seen
from tools.benchmarks.targets import Target

CLIENTS = 64
BESIDE = 4
"""Clients of another slot, whom the crowd on the hot one must not slow down."""
OURS, TEXTBOOK = "Holdfast, one hot slot", "the textbook, one hot slot"
ALONE, CROWDED = "another slot, the crowd spread over 1,000", "another slot, the crowd on the hot one"
TARGETS = (
    Target(TEXTBOOK),
    Target(OURS, beside=TEXTBOOK, least=30),
    Target(ALONE),
    Target(CROWDED, beside=ALONE, most=1.1, figure="p50"),
)


def a_round(address: str, *, seconds: float) -> Iterator[tuple[str, Seen]]:
    """Sell one slot to a crowd in both ways; then sell another slot beside the crowd."""
    filling.empty()
    filling.fill()
    yield OURS, workloads.reserve_hot(address, CLIENTS, seconds)
    databases.wait_until_quiet()
    yield TEXTBOOK, workloads.textbook_hot(address, CLIENTS, seconds)
    databases.wait_until_quiet()
    for name, crowd in ((ALONE, workloads.reserve_many), (CROWDED, workloads.reserve_hot)):
        with ThreadPoolExecutor(1) as pool:
            going_on = pool.submit(crowd, address, CLIENTS, seconds)
            yield name, workloads.reserve_another(address, BESIDE, seconds)
            going_on.result()
        databases.wait_until_quiet()

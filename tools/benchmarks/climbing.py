"""The same loads by one client, two, four …: where more clients bring no more, and what they wait then."""

from collections.abc import Iterator

from tools.benchmarks import filling, workloads
from tools.benchmarks.load import Seen
from tools.benchmarks.targets import Target
from tools.benchmarks.workloads import FLOOR, HOT, READ, RESERVE

CLIENTS = (1, 2, 4, 8, 16, 32, 64)
LOADS = {FLOOR: workloads.floor, RESERVE: workloads.reserve_many, HOT: workloads.reserve_hot, READ: workloads.read}


def named(load: str, clients: int) -> str:
    """Return what a load by so many clients is called."""
    return f"{load}, {clients} clients" if clients > 1 else f"{load}, 1 client"


TARGETS = tuple(Target(named(load, clients), beside=named(FLOOR, clients)) for load in LOADS for clients in CLIENTS)


def a_round(address: str, *, seconds: float) -> Iterator[tuple[str, Seen]]:
    """Take every load with every number of clients."""
    filling.empty()
    filling.fill()
    workloads.reserve_many(address, 8, 2)
    filling.write_paths()
    for clients in CLIENTS:
        for load, run in LOADS.items():
            yield named(load, clients), run(address, clients, seconds)

"""What is measured: one load after the other, round after round, so that each meets the machine as the others do."""

from collections.abc import Callable, Iterator

from tools.benchmarks import filling, load
from tools.benchmarks.load import Seen
from tools.benchmarks.targets import Target

Run = Callable[[str, int, float], Seen]
"""Takes the address of the server, the number of clients and the seconds."""


def _get(address: str, clients: int, seconds: float, *, paths: str) -> Seen:
    given = {"PATHS": str(filling.path(paths)), "KEYS": str(filling.path("keys"))}
    return load.wrk("get.lua", address, clients=clients, seconds=seconds, **given)


def _reserve(address: str, clients: int, seconds: float, *, slots: str, target: str = "/api/v1/reservations") -> Seen:
    given = {"SLOTS": str(filling.path(slots)), "KEYS": str(filling.path("keys")), "TARGET": target}
    return load.wrk("reserve.lua", address, clients=clients, seconds=seconds, **given)


def _deliver(address: str, clients: int, seconds: float, *, only_one: bool) -> Seen:
    given = {"EVENTS": str(filling.path("events")), "ONE": "1" if only_one else "0"}
    return load.wrk("deliver.lua", address, clients=clients, seconds=seconds, **given)


def floor(address: str, clients: int, seconds: float) -> Seen:
    """Ask the view that does nothing."""
    filling.write("floor", ["/benchmark/floor"])
    return _get(address, clients, seconds, paths="floor")


def reserve_many(address: str, clients: int, seconds: float) -> Seen:
    """Reserve over a thousand slots."""
    return _reserve(address, clients, seconds, slots="slots")


def reserve_hot(address: str, clients: int, seconds: float) -> Seen:
    """Reserve on one slot."""
    return _reserve(address, clients, seconds, slots="hot")


def reserve_another(address: str, clients: int, seconds: float) -> Seen:
    """Reserve on one slot, another than the hot one."""
    return _reserve(address, clients, seconds, slots="another")


def textbook_hot(address: str, clients: int, seconds: float) -> Seen:
    """Reserve on one slot, as textbooks do."""
    return _reserve(address, clients, seconds, slots="hot", target="/benchmark/textbook")


def limit_many(address: str, clients: int, seconds: float) -> Seen:
    """Let the database do what reserving asks of it, and nothing else."""
    return load.pgbench("reserve.sql", clients=clients, seconds=seconds, variables={"slots": filling.SLOTS})


def limit_hot(address: str, clients: int, seconds: float) -> Seen:
    """The same on one slot."""
    return load.pgbench("reserve.sql", clients=clients, seconds=seconds, variables={"slots": 1})


def settle(address: str, clients: int, seconds: float) -> Seen:
    """Deliver events that each settle a payment."""
    return _deliver(address, clients, seconds, only_one=False)


def duplicate(address: str, clients: int, seconds: float) -> Seen:
    """Deliver one event again and again."""
    return _deliver(address, clients, seconds, only_one=True)


def limit_settle(address: str, clients: int, seconds: float) -> Seen:
    """Let the database do what such an event asks of it, and nothing else."""
    return load.pgbench("settle.sql", clients=clients, seconds=seconds)


def read(address: str, clients: int, seconds: float) -> Seen:
    """Read reservations."""
    return _get(address, clients, seconds, paths="reservations")


def month(address: str, clients: int, seconds: float) -> Seen:
    """Read the departures of a month of one activity."""
    return _get(address, clients, seconds, paths="month")


FLOOR, READ = "floor: a view that does nothing", "read a reservation"
RESERVE, HOT = "reserve, 1,000 slots", "reserve, one hot slot"
SELLING: tuple[tuple[Target, Run], ...] = (
    (Target(FLOOR), floor),
    (Target(RESERVE, beside=FLOOR, least=0.12), reserve_many),
    (Target(HOT, beside=RESERVE, least=0.65), reserve_hot),
    (Target("limit of reserving, 1,000 slots", beside=FLOOR), limit_many),
    (Target("limit of reserving, one hot slot", beside=FLOOR), limit_hot),
)
AFTERWARDS: tuple[tuple[Target, Run], ...] = (
    (Target(READ, beside=FLOOR, least=0.20), read),
    (Target("availability of a month", beside=FLOOR), month),
    (Target("a webhook that settles", beside=FLOOR, least=0.15), settle),
    (Target("a duplicate webhook", beside=FLOOR, least=0.35), duplicate),
    (Target("limit of settling", beside=FLOOR), limit_settle),
)
TARGETS = [target for target, _ in (*SELLING, *AFTERWARDS)]


def a_round(address: str, *, clients: int, seconds: float) -> Iterator[tuple[str, Seen]]:
    """Take every load once, on a database that is filled anew."""
    filling.empty()
    filling.fill()
    for target, run in SELLING:
        yield target.name, run(address, clients, seconds)
    limit_many(address, clients, 3 * seconds)  # settling is faster than reserving, and needs as many
    filling.confirm_all()
    filling.write_paths()
    filling.write_events()
    for target, run in AFTERWARDS:
        yield target.name, run(address, clients, seconds)

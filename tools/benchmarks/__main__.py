"""``python -m tools.benchmarks``: rounds of every load, interleaved, and the medians of what each came to."""

import argparse
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import django

from tools.benchmarks import stack

_WHAT = {
    "selling": "reserving, reading, settling: beside a view that does nothing, and the database alone",
    "rival": "one hot slot and a slow provider: beside the way of textbooks",
    "rows": "expiry, reconciliation, the backoffice: among a million reservations, beside ten thousand",
    "clients": "one client to sixty-four, with pictures in docs/images",
}


def main() -> int:
    """Measure; returns 1 if something is less than it is to be."""
    asked = _asked()
    if shutil.which("wrk") is None:
        sys.exit("wrk makes the load, and is not here: install it (Debian: apt-get install wrk).")
    is_rival = asked.what == "rival"
    stack.prepare(threads=20 if is_rival else 8, pool=asked.pool, provider_seconds=0.3 if is_rival else 0)
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  # after the settings are there

    from tools.benchmarks import climbing, reporting, rival, rows, workloads  # noqa: PLC0415

    measured: dict[str, Any] = {"selling": workloads, "rival": rival, "rows": rows, "clients": climbing}
    module = measured[asked.what]
    found = reporting.Found()
    try:
        call_command("migrate", verbosity=0)
        for seen in _rounds(module, asked):
            found.add(seen)
    finally:
        stack.stop_database()
    if module is climbing:
        from tools.benchmarks import plotting  # noqa: PLC0415  # its library is heavy

        for path in plotting.draw(found):
            reporting.console.print(f"drawn: {path}")
    return reporting.tell(found, module.TARGETS)


def _rounds(module: Any, asked: argparse.Namespace) -> Iterator[Any]:
    if asked.what == "rows":
        module.prepare()
        for _ in range(asked.rounds):
            yield module.a_round(seconds=asked.seconds)
        return
    given = {"clients": asked.clients} if asked.what == "selling" else {}
    with stack.serving() as address:
        a_round = partial(module.a_round, address, seconds=asked.seconds, **given)
        for _ in range(asked.rounds):
            yield a_round()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks")
    told = "; ".join(f"{name}: {text}" for name, text in _WHAT.items())
    parser.add_argument("what", choices=list(_WHAT), nargs="?", default="selling", help=told)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each load in a round")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--pool", type=int, default=2, help=f"connections of each of the {stack.PROCESSES} processes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

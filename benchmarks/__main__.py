"""``python -m benchmarks``: rounds of every load, interleaved, and the medians of what each came to."""

import argparse
import shutil
import sys

import django

from benchmarks import stack


def main() -> int:
    """Measure; returns 1 if something is less than it is to be."""
    asked = _asked()
    if shutil.which("wrk") is None:
        sys.exit("wrk makes the load, and is not here: install it (Debian: apt-get install wrk).")
    is_rival = asked.what == "rival"
    stack.prepare(threads=32 if is_rival else 16, pool=asked.pool, provider_seconds=0.3 if is_rival else 0)
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  # after the settings are there

    from benchmarks import reporting, rival, workloads  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    found = reporting.Found()
    try:
        with stack.serving() as address:
            for _ in range(asked.rounds):
                seen = (
                    rival.a_round(address, seconds=asked.seconds)
                    if is_rival
                    else workloads.a_round(address, clients=asked.clients, seconds=asked.seconds)
                )
                found.add(seen)
    finally:
        stack.stop_database()
    return reporting.tell(found, rival.WORKLOADS if is_rival else workloads.WORKLOADS)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("what", choices=["selling", "rival"], nargs="?", default="selling")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each load in a round")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--pool", type=int, default=4, help=f"connections of each of the {stack.PROCESSES} processes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

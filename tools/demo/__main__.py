"""`python -m tools.demo up | demo | down | fresh | story`: what `make` calls for `up`, `demo`, `down` and `fresh`."""

import argparse
import importlib
import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured

from config.postgres_programs import EmbeddedPostgresError
from tools.demo import other_migrations, places, ports, processes, stack, taking_over
from tools.demo.output import complain, say, tell_where
from tools.demo.supervisor import LOOK_SECONDS, StartError, StopRequested, stopping_on_signals

DATABASE_LOOK_SECONDS = 5
PROBLEMS = (
    StartError,
    EmbeddedPostgresError,
    ImproperlyConfigured,
    ports.PortBusyError,
    taking_over.TakeOverError,
)


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("command", choices=["up", "demo", "down", "fresh", "story"])
    parser.add_argument(
        "--once", action="store_true", default=bool(os.environ.get("ONCE")), help="stop after the story"
    )
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "down":
            return down()
        if chosen.command == "fresh":
            return fresh()
        if chosen.command == "story":
            return int(importlib.import_module("tools.demo.story").play(places.DEMO))
        return up(with_story=chosen.command == "demo", once=chosen.once)
    except PROBLEMS as problem:
        complain(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


def up(*, with_story: bool, once: bool) -> int:
    """Bring the stack up and serve until asked to stop; with the story played on it first, whose exit code counts."""
    with stopping_on_signals(), taking_over.only_one():
        running = stack.Stack()
        code = 0
        try:
            demo = running.start()
            if with_story:
                code = _play(running)
            if not code and not (with_story and once):
                tell_where(demo)
                _serve(running)
        except StopRequested:
            say("Stopping …")
        finally:
            running.stop()
        return code


def down() -> int:
    """Stop everything that runs for this checkout, the embedded database too."""
    with taking_over.only_one():
        stack.stop_database()
    say("Everything of this checkout is stopped.")
    return 0


def fresh() -> int:
    """Stop everything of this checkout, and put its embedded database aside."""
    with taking_over.only_one():
        stack.stop_database()
        aside = other_migrations.put_aside(now=datetime.now(UTC))
    say("There was no database yet." if aside is None else f"The database was put aside, in {aside}.")
    say("The next `make up` begins with a new one.")
    return 0


def _play(running: stack.Stack) -> int:
    """Play the story in a process of its own, while the stack is looked after."""
    environment = os.environ | {processes.MARK: "story"}
    teller = subprocess.Popen([sys.executable, "-m", "tools.demo", "story"], cwd=places.ROOT, env=environment)
    try:
        while (code := teller.poll()) is None:
            running.keep_running()
            time.sleep(LOOK_SECONDS)
    finally:
        teller.kill()
        teller.wait()
    return code


def _serve(running: stack.Stack) -> None:
    looked_at = 0.0
    while True:
        running.keep_running()
        if time.monotonic() - looked_at > DATABASE_LOOK_SECONDS:
            running.keep_database()
            looked_at = time.monotonic()
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

"""The environment that tests run in: ours and no developer's."""

import os
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
IS_LONG = bool(os.environ.get("LONG"))
"""Set by ``make long``: tests that have a long form take it."""

T = TypeVar("T")


VALUES = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "ENV_FILE": "",
    "DEBUG": "true",
    "DEMO": "true",
    "SECRET_KEY": "a-key-for-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz",
    "LOG_LEVEL": "WARNING",
    "DATABASE_POOL_SIZE": "0",
    "STRIPE_API_KEY": "sk_test_sandbox",
    # Nobody listens there: a test that calls the provider asks for the sandbox.
    "STRIPE_API_BASE": "http://127.0.0.1:9",
    "STRIPE_WEBHOOK_SECRETS": "whsec_test",
    "API_RATE": "1000000/min",
}
# How the database that is named is connected to goes with its name.
KEPT = frozenset({"DATABASE_URL", "DATABASE_PREPARE", "DATABASE_STARTUP_OPTIONS"})


def documented() -> set[str]:
    """Return the variables that `.env.example` documents."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {line.partition("=")[0] for line in lines if line and not line.startswith("#")}


def prepare() -> None:
    """Set what tests need and take away what they must not see. Must come before the settings are read."""
    for name in documented() - KEPT:
        os.environ.pop(name, None)
    os.environ.update(VALUES)


def sized(short: T, *, long: T) -> T:
    """Return how large a test is to be: in every run, and in ``make long``."""
    return long if IS_LONG else short

"""Rules for environment values together, beyond each one's kind."""

from collections.abc import Iterable, Sequence

from config.env import Environment
from payments.configuration import ProviderSettings

# Public, since it stands here: good for a developer's own machine, and refused for everything else.
DEVELOPMENT_SECRET_KEY = "holdfast-development-only-" + "0" * 40
SECRET_KEY_LENGTH = 50
SECRET_KEY_LETTERS = 5


def check_secret_key(env: Environment, *, key: str, debug: bool) -> None:
    """Refuse a weak key: it signs sessions and the queue's tasks."""
    if not key:
        env.refuse("SECRET_KEY", "is missing; it may be left out only with DEBUG=true.")
    elif len(key) < SECRET_KEY_LENGTH or len(set(key)) < SECRET_KEY_LETTERS or key.startswith("django-insecure-"):
        env.refuse("SECRET_KEY", f"must have at least {SECRET_KEY_LENGTH} characters, random ones.")
    elif key == DEVELOPMENT_SECRET_KEY and not debug:
        env.refuse("SECRET_KEY", "is the one for development, which everybody knows.")


def check_origins(env: Environment, name: str, *, origins: Sequence[str]) -> None:
    """Refuse origins without a scheme or with a path; they never match."""
    if any("://" not in origin or origin.count("/") > 2 for origin in origins):
        env.refuse(name, "must be origins with their scheme and no path, such as https://shop.example.com.")


def check_lease(env: Environment, name: str, *, lease_seconds: int, providers: Iterable[ProviderSettings]) -> None:
    """Refuse a lease shorter than the longest wait for a provider.

    A second process would do the same work.
    """
    for provider in providers:
        if lease_seconds <= provider.call_seconds:
            env.refuse(name, f"must exceed {' and '.join(provider.call_limits)} together.")


def check_holds(env: Environment, *, ttl_seconds: int, ceiling_seconds: int) -> None:
    """Refuse a ceiling below the time that every hold gets."""
    if ceiling_seconds < ttl_seconds:
        env.refuse("HOLD_CEILING_SECONDS", "must not be less than HOLD_TTL_SECONDS.")


def check_database_timeouts(env: Environment, *, lock_ms: int, statement_ms: int) -> None:
    """Refuse a statement time-out shorter than the lock time-out.

    The lock's is the clearer answer.
    """
    if statement_ms and statement_ms <= lock_ms:
        env.refuse("DATABASE_STATEMENT_TIMEOUT_MS", "must exceed DATABASE_LOCK_TIMEOUT_MS (or be 0, for none).")

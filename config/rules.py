"""Rules for environment values together, beyond each one's kind."""

from collections.abc import Sequence

from config.env import Environment, is_near
from payments.providers.stripe import keys as stripe_keys

# Public, since it stands here: good for a developer's own machine, and refused for everything else.
DEVELOPMENT_SECRET_KEY = "holdfast-development-only-" + "0" * 40
SECRET_KEY_LENGTH = 50
SECRET_KEY_LETTERS = 5

STRIPE_KEYS = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")


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


def check_stripe(env: Environment, *, key: str, base: str, webhook_secrets: Sequence[str], debug: bool) -> None:
    """Refuse useless keys, and addresses that must not get a key."""
    if not key and not debug:
        env.refuse("STRIPE_API_KEY", "is missing; it may be left out only with DEBUG=true.")
    if key and not key.startswith(STRIPE_KEYS):
        env.refuse("STRIPE_API_KEY", "must be a secret or a restricted key of Stripe's (sk_… or rk_…).")
    is_live = stripe_keys.is_live(key)
    if base and base.rstrip("/") != stripe_keys.ITSELF and is_live:
        env.refuse("STRIPE_API_BASE", "must be empty with a live key, which is for Stripe alone.")
    if base.startswith("http://") and not is_near(base) and not debug:
        env.refuse("STRIPE_API_BASE", "must be https unless it is on this machine or its private network.")
    if not webhook_secrets and not debug:
        env.refuse("STRIPE_WEBHOOK_SECRETS", "is missing; it may be left out only with DEBUG=true.")
    if any(not secret.startswith("whsec_") for secret in webhook_secrets):
        env.refuse("STRIPE_WEBHOOK_SECRETS", "must be signing secrets (whsec_…), separated by commas.")
    elif is_live and any(stripe_keys.can_be_guessed(secret) for secret in webhook_secrets):
        env.refuse("STRIPE_WEBHOOK_SECRETS", "must be the endpoint's own from Stripe with a live key, no placeholder.")


def check_lease(env: Environment, name: str, *, lease_seconds: int, call_seconds: int) -> None:
    """Refuse a lease shorter than the longest wait for a provider.

    A second process would do the same work.
    """
    if lease_seconds <= call_seconds:
        env.refuse(name, "must exceed STRIPE_CONNECT_TIMEOUT_SECONDS and STRIPE_READ_TIMEOUT_SECONDS together.")


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

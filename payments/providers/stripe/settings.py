"""What the environment says of Stripe, and its checks.

Secrets are read again for each call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, cast

from django.conf import settings

from common.addresses import is_near
from payments.configuration import Environment
from payments.providers.stripe import keys

NAME = "stripe"

_KEYS = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What this installation has chosen for Stripe."""

    call_limits: ClassVar[Sequence[str]] = ("STRIPE_CONNECT_TIMEOUT_SECONDS", "STRIPE_READ_TIMEOUT_SECONDS")
    quiet_loggers: ClassVar[Sequence[str]] = ("stripe",)

    api_base: str
    connect_timeout_seconds: int
    read_timeout_seconds: int
    is_live: bool

    @classmethod
    def read(cls, env: Environment, *, debug: bool) -> Self:
        """Read Stripe's variables, and note what is wrong with any of them."""
        read = cls(
            api_base=env.url("STRIPE_API_BASE", schemes=["https", "http"]),
            connect_timeout_seconds=env.integer("STRIPE_CONNECT_TIMEOUT_SECONDS", 3, least=1),
            read_timeout_seconds=env.integer("STRIPE_READ_TIMEOUT_SECONDS", 20, least=1),
            is_live=keys.is_live(env.text("STRIPE_API_KEY")),
        )
        read._check_key(env, debug=debug)
        read._check_base(env, debug=debug)
        read._check_webhook_secrets(env, debug=debug)
        return read

    @property
    def is_sandbox(self) -> bool:
        """Whether a stand-in is called."""
        return bool(self.api_base)

    @property
    def call_seconds(self) -> int:
        """How long one call may take."""
        return self.connect_timeout_seconds + self.read_timeout_seconds

    def why_not(self, key: str) -> str:
        """Return why this installation must not use a key; empty: it may."""
        if keys.is_live(key) != self.is_live:
            kind, here = ("a live key", "a test") if keys.is_live(key) else ("no live key", "a live")
            return f"is {kind}, and this is {here} installation"
        if keys.is_live(key) and self.api_base.rstrip("/") not in ("", keys.ITSELF):
            return "is a live key, which is sent to Stripe alone: STRIPE_API_BASE must be empty"
        return ""

    def _check_key(self, env: Environment, *, debug: bool) -> None:
        key = env.text("STRIPE_API_KEY")
        if not key and not debug:
            env.refuse("STRIPE_API_KEY", "is missing; it may be left out only with DEBUG=true.")
        if key and not key.startswith(_KEYS):
            env.refuse("STRIPE_API_KEY", "must be a secret or a restricted key of Stripe's (sk_… or rk_…).")

    def _check_base(self, env: Environment, *, debug: bool) -> None:
        if self.api_base and self.api_base.rstrip("/") != keys.ITSELF and self.is_live:
            env.refuse("STRIPE_API_BASE", "must be empty with a live key, which is for Stripe alone.")
        if self.api_base.startswith("http://") and not is_near(self.api_base) and not debug:
            env.refuse("STRIPE_API_BASE", "must be https unless it is on this machine or its private network.")

    def _check_webhook_secrets(self, env: Environment, *, debug: bool) -> None:
        name, given = "STRIPE_WEBHOOK_SECRETS", env.texts("STRIPE_WEBHOOK_SECRETS")
        if not given and not debug:
            env.refuse(name, "is missing; it may be left out only with DEBUG=true.")
        if any(not secret.startswith("whsec_") for secret in given):
            env.refuse(name, "must be signing secrets (whsec_…), separated by commas.")
        elif self.is_live and any(keys.can_be_guessed(secret) for secret in given):
            env.refuse(name, "must be the endpoint's own from Stripe with a live key, no placeholder.")


def current() -> Settings:
    """Return what this installation has chosen."""
    return cast("Settings", settings.PROVIDERS[NAME])

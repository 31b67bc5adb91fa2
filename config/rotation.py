"""Takes over secrets that were rotated: those that are used while the process runs."""

import logging
import threading
from typing import Any

import dj_database_url
from django.conf import settings
from django.db import connections

from config import rules
from config.env import Environment
from payments.providers import registry, stripe_keys

logger = logging.getLogger("holdfast.secrets")

_LOCK = threading.Lock()
_DATABASE = ("NAME", "USER", "PASSWORD", "HOST", "PORT")


def refresh() -> None:
    """Fetch the secrets again if they are old, and use what has changed from here on.

    What is wrong is told and left out as a whole: the values that worked stay.
    """
    env: Environment = settings.ENVIRONMENT
    if env.secrets is None or not _LOCK.acquire(blocking=False):
        return  # one thread is enough; the others go on with what they have
    try:
        if env.secrets.refresh():
            _take_over(env)
    finally:
        _LOCK.release()


def _take_over(env: Environment) -> None:
    env.problems.clear()
    key, webhook_secrets = env.text("STRIPE_API_KEY"), env.texts("STRIPE_WEBHOOK_SECRETS")
    secret_key = env.text("SECRET_KEY", settings.SECRET_KEY)
    rules.check_stripe(
        env, key=key, base=settings.STRIPE_API_BASE, webhook_secrets=webhook_secrets, debug=settings.DEBUG
    )
    if stripe_keys.is_live(key) != settings.STRIPE_LIVE_MODE:
        env.refuse("STRIPE_API_KEY", "must be of the mode that it was: what is stored is of that one.")
    rules.check_secret_key(env, key=secret_key, debug=settings.DEBUG)
    database = env.database_url("DATABASE_URL")
    if env.problems:
        logger.error("The rotated secrets are not right; the old ones stay.", extra={"problems": sorted(env.problems)})
        return
    if secret_key != settings.SECRET_KEY:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # sessions and links that were signed before stay good
        settings.SECRET_KEY = secret_key
    settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRETS = key, webhook_secrets
    settings.OIDC_RP_CLIENT_SECRET = env.text("COGNITO_CLIENT_SECRET")
    settings.EMAIL_HOST_PASSWORD = env.text("MAIL_PASSWORD")
    settings.ANYMAIL = {**settings.ANYMAIL, "SENDGRID_API_KEY": env.text("SENDGRID_API_KEY")}
    registry.get.cache_clear()  # a provider keeps the key that it was made with
    if database and database != settings.DATABASE_URL:
        settings.DATABASE_URL = database
        _connect_anew(database)
    logger.info("Rotated secrets are in use.")


def _connect_anew(url: str) -> None:
    """Make new connections as the URL says; those that are open end with what they are doing."""
    parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    connection: Any = connections["default"]
    known: dict[str, Any] = connection.settings_dict
    known |= {name: parsed[name] for name in _DATABASE}
    connection.close_pool()

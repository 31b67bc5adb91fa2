"""Applies rotated secrets while the process runs.

Readers ask :mod:`common.secrets` for them.
"""

import logging
import threading
from typing import Any

from django.conf import settings
from django.db import connections

from common.secrets import Secrets
from config import rules
from config.env import Environment
from config.secrets import Contents
from payments import configuration
from payments.providers import registry

logger = logging.getLogger("holdfast.secrets")

_LOCK = threading.Lock()


def refresh() -> None:
    """Fetch secrets again if they are old, and use changed ones.

    A wrong value is logged, and none of the new ones is used: those that worked stay.
    """
    env: Environment = settings.ENVIRONMENT
    if env.secrets is None or not _LOCK.acquire(blocking=False):
        return  # one thread is enough; the others go on with the secrets they have
    try:
        offered = env.secrets.fetch_newer()
        if offered is not None:
            _take_over(env, offered)
    finally:
        _LOCK.release()


def _take_over(env: Environment, offered: Contents) -> None:
    rotated = env.with_secrets(offered)
    _check(rotated)
    if rotated.problems:
        problems = sorted(rotated.problems)
        logger.error("The rotated secrets are not right; the old ones stay.", extra={"problems": problems})
        return
    secrets: Secrets = settings.SECRETS
    signing_key, database = secrets.current("SECRET_KEY"), secrets.current("DATABASE_URL")
    if rotated.text("SECRET_KEY", signing_key) != signing_key:
        secrets.retire_signing_key(signing_key)  # before the new one signs: no session is refused in between
    env.adopt(offered)
    registry.get.cache_clear()  # a provider keeps the key that it was made with
    if secrets.current("DATABASE_URL") != database:
        connection: Any = connections["default"]
        connection.close_pool()  # what is in use ends with what it is doing
    logger.info("Rotated secrets are in use.")


def _check(env: Environment) -> None:
    debug = settings.DEBUG
    configuration.check_rotated(env, debug=debug, before=settings.PROVIDERS)
    rules.check_secret_key(env, key=env.text("SECRET_KEY", str(settings.SECRET_KEY)), debug=debug)
    env.database_url("DATABASE_URL")

"""Ends the lease of a run that has failed, now or as soon as the database can be had again."""

import logging
import threading
import time

from django.db import connections

from common import database
from idempotency import keys
from idempotency.keys import Claim

logger = logging.getLogger("holdfast.idempotency")

_PAUSE_SECONDS = 1.0
_LONGEST_SECONDS = 600.0
"""Longer than any lease."""


def end(claim: Claim) -> bool:
    """Let the retry go on at once; False if another run has it by now.

    Where the database is away, a thread of its own does it when it is back.
    """
    try:
        return keys.end_lease(claim=claim)
    except database.ERRORS:
        threading.Thread(target=_keep_trying, args=[claim], daemon=True, name="idempotency-lease").start()
        return True


def _keep_trying(claim: Claim) -> None:
    until = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
        try:
            keys.end_lease(claim=claim)
        except database.ERRORS:
            continue
        finally:
            connections.close_all()
        return
    logger.warning("A lease could not be ended; it runs out by itself.", extra={"operation": str(claim.operation.id)})

"""Ends a failed run's lease, now or when the database returns."""

import logging
import threading

from django.db import connections

from common import database
from idempotency import keys
from idempotency.keys import Claim

logger = logging.getLogger("holdfast.idempotency")

_PAUSE_SECONDS = 1.0
_TRIES = 600
"""Longer than any lease lives."""


def end(claim: Claim) -> bool:
    """Allow the retry at once; False if another run has the key.

    Where the database is away, a thread of its own does it when it is back.
    """
    try:
        return keys.end_lease(claim=claim)
    except database.ERRORS:
        _try_later(claim, left=_TRIES)
        return True


def _try_later(claim: Claim, *, left: int) -> None:
    timer = threading.Timer(_PAUSE_SECONDS, _try, [claim, left])
    timer.daemon = True
    timer.start()


def _try(claim: Claim, left: int) -> None:
    try:
        keys.end_lease(claim=claim)
    except database.ERRORS:
        if left:
            _try_later(claim, left=left - 1)
        else:
            logger.warning("A lease was not ended; it runs out.", extra={"operation": str(claim.operation.id)})
    finally:
        connections.close_all()

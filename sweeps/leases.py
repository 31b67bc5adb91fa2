"""What a process does about leases when it starts."""

import logging
from typing import Any

from django.db import connections

from common import database
from common.outbox import Outbox
from idempotency import keys
from notifications import sending
from payments import commands
from webhooks import notices

_OUTBOXES: tuple[Outbox[Any], ...] = (commands.OUTBOX, sending.OUTBOX, notices.OUTBOX)

logger = logging.getLogger("holdfast.leases")


def free_left_behind() -> None:
    """End leases of dead processes of this machine.

    Never raises for the database.
    """
    try:
        freed = keys.free_left_behind() + sum(outbox.free_left_behind() for outbox in _OUTBOXES)
    except database.ERRORS:
        logger.warning("Leases of processes before this one could not be looked at; they run out by themselves.")
        return
    finally:
        connections.close_all()
    if freed:
        logger.info("Leases of processes that have ended were freed.", extra={"number": freed})

"""Carrying out the commands of reservations, one after the change that wanted it, or all that are due."""

import logging
from uuid import UUID

from booking import settlement
from booking.settlement import Settled
from payments import carrying_out, commands
from payments.models import Command

logger = logging.getLogger("holdfast.commands")

Done = carrying_out.Done[Settled]


def carry_out(*, command_id: UUID) -> Done | None:
    """Claim a reservation's command and carry it out; None if it is not to be had now or could not be settled."""
    command = commands.claim(command_id=command_id)
    return finish(command) if command is not None else None


def finish(command: Command) -> Done | None:
    """Send a claimed command of a reservation's payment and settle the answer; see ``payments.carrying_out``."""
    return carrying_out.finish(command, settle=settlement.settle)


def carry_out_any(*, command_id: UUID) -> bool:
    """Claim a command of whatever payment and carry it out; django-q2 calls this by name (``COMMAND_CARRIER``)."""
    command = commands.claim(command_id=command_id)
    return command is not None and carrying_out.finish(command, settle=settlement.settle_any) is not None


def send_due(*, limit: int = 500) -> int:
    """Carry out every command that is due, one by one, and return how many. Safe when two run: claims are exclusive.

    A payment's commands go in order, so what waited for one of these is looked for again; each is tried once.
    """
    number, tried = 0, set[UUID]()
    while due := [command_id for command_id in commands.list_due(limit=limit) if command_id not in tried]:
        tried.update(due)
        number += sum(map(_carry_out_alone, due))
    commands.flag_exhausted()
    return number


def _carry_out_alone(command_id: UUID) -> bool:
    try:
        return carry_out_any(command_id=command_id)
    except Exception:  # one poisoned command must not stop the others
        logger.exception("A command could not be carried out.", extra={"command": str(command_id)})
        return False

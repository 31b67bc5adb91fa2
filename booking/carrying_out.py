"""Carrying out the commands of reservations, one after the change that wanted it, or all that are due."""

import logging
from uuid import UUID

from booking import settlement
from booking.settlement import Settled
from payments import carrying_out, commands, pacing
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

    A payment's commands go in order, so what waited for one of these is looked for again; each is tried once. An
    account that is not to be called now (``payments.pacing``) is left out, and costs its commands no attempt.
    """
    number, tried, paused = 0, set[UUID](), set[tuple[str, str]]()
    while due := [found for found in commands.list_due(limit=limit, but_not_of=paused) if found.pk not in tried]:
        for command in due:
            account = (command.payment.provider, command.payment.provider_account)
            if account not in paused and pacing.admit(provider=account[0], account=account[1]):
                paused.add(account)
            if account not in paused:
                tried.add(command.pk)
                number += _carry_out_alone(command.pk)
    commands.flag_exhausted()
    return number


def _carry_out_alone(command_id: UUID) -> bool:
    try:
        command = commands.claim(command_id=command_id)
        done = carrying_out.finish(command, settle=settlement.settle_any) if command is not None else None
        if command is not None and done is not None and done.known:
            pacing.answered(provider=command.payment.provider, account=command.payment.provider_account)
    except Exception:  # one poisoned command must not stop the others
        logger.exception("A command could not be carried out.", extra={"command": str(command_id)})
        return False
    return done is not None

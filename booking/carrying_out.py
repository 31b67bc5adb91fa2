"""Carrying out the commands of reservations, one after the change that wanted it, or all that are due."""

from functools import partial
from uuid import UUID

from booking import settlement
from booking.settlement import Settled
from common import loops
from payments import carrying_out, commands, pacing
from payments.models import Command

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
        tried |= {command.pk for command in due}
        number += loops.each(due, partial(_carry_out_alone, paused=paused), name="send_commands").done
    commands.flag_exhausted()
    return number


def _carry_out_alone(command: Command, *, paused: set[tuple[str, str]]) -> bool:
    account = (command.payment.provider, command.payment.provider_account)
    if account not in paused and pacing.admit(provider=account[0], account=account[1]):
        paused.add(account)
    if account in paused:
        return False
    claimed = commands.claim(command_id=command.pk)
    done = carrying_out.finish(claimed, settle=settlement.settle_any) if claimed is not None else None
    if done is not None and done.known:
        pacing.answered(provider=account[0], account=account[1])
    return done is not None

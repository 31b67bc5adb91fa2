"""Carrying out a command: claim it, send it, settle what came of it. The sweep follows whoever dies in between."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError

from booking import settlement
from booking.models import Reservation
from common import database
from common.errors import HoldfastError
from payments import commands, sending
from payments.errors import OutcomeMismatchError
from payments.models import Command
from payments.outcomes import Effect, Outcome

logger = logging.getLogger("holdfast.commands")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What carrying out a command came to; ``known`` is whether the provider's answer is."""

    reservation: Reservation
    effect: Effect
    known: bool


def carry_out(*, command_id: UUID) -> Done | None:
    """Claim a command and carry it out; None if it is not to be had now or what came of it could not be noted."""
    command = commands.claim(command_id=command_id)
    return finish(command) if command is not None else None


def finish(command: Command) -> Done | None:
    """Send a claimed command and settle the answer, outside any transaction.

    What fails after the sending is logged, not raised: the command is stored, its lease ends, and the sweep asks the
    provider again with the same key.
    """
    news = sending.send(command)
    try:
        with database.use_case():
            settled = settlement.settle(news=news)
    except (DatabaseError, HoldfastError, OutcomeMismatchError):
        logger.exception("An answer could not be noted; the sweep will ask again.", extra={"command": str(command.pk)})
        return None
    return Done(reservation=settled.reservation, effect=settled.effect, known=news.outcome is not Outcome.UNKNOWN)


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
        return carry_out(command_id=command_id) is not None
    except Exception:  # one poisoned command must not stop the others
        logger.exception("A command could not be carried out.", extra={"command": str(command_id)})
        return False

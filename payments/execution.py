"""Execute a command: send a claimed one, and handle its answer.

The sweep goes on after a death in between.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django_q.tasks import async_task

from common import database, logs
from common.errors import HoldfastError
from payments import outcomes, sending, throttle
from payments.errors import OutcomeMismatchError
from payments.models import Command
from payments.outcome_steps import HandlingResult
from payments.outcome_types import Outcome, PaymentOutcome

logger = logging.getLogger("holdfast.commands")

R = TypeVar("R", bound=HandlingResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed(Generic[R]):
    """What came of a command; ``known`` is whether the provider's answer is."""

    result: R
    known: bool


def execute_claimed(command: Command) -> Executed[HandlingResult] | None:
    """Send a claimed command of an unmanaged payment and handle the answer.

    Outside any transaction.
    """
    answer, result = send(command), None
    with keeping_failures(command), database.use_case():
        result = outcomes.handle(outcome=answer)
    return follow(answer, result)


def send(command: Command) -> PaymentOutcome:
    """Send a claimed command and record how the account answers.

    Outside any transaction; never raises.
    """
    answer = sending.send(command)
    if answer.is_silent:
        _keep_pace(command, answer)
    return answer


@contextmanager
def keeping_failures(command: Command) -> Iterator[None]:
    """Log why an answer could not be stored, and go on.

    The command is stored, its lease ends, and the sweep asks the provider again with the same key.
    """
    try:
        yield
    except (DatabaseError, HoldfastError, OutcomeMismatchError) as error:
        logs.failure(logger, "An answer could not be noted; the sweep will ask again.", error, command=command.pk)


def follow(answer: PaymentOutcome, result: R | None) -> Executed[R] | None:
    """Queue the command that waited for this answer.

    None if the answer could not be stored.
    """
    if result is None:
        return None
    if result.next_command is not None:
        queue(command_id=result.next_command)
    return Executed(result=result, known=answer.kind is not Outcome.UNKNOWN)


def _keep_pace(command: Command, answer: PaymentOutcome) -> None:
    """Let the background know that the provider refuses calls, or does not answer."""
    account = {"provider": command.payment.provider, "account": command.payment.provider_account}
    if answer.retry_after is not None:
        throttle.rate_limited(**account, seconds=answer.retry_after)
    else:
        throttle.failed(**account)


def queue(*, command_id: UUID) -> None:
    """Have a worker execute a stored command, right after this COMMIT.

    If the queue is lost, or this process dies before it is told, the sweep finds the command within a minute.
    """
    transaction.on_commit(lambda: _queue(command_id), robust=True)


def _queue(command_id: UUID) -> None:
    async_task(settings.COMMAND_CARRIER, command_id=command_id, group="command", save=False)

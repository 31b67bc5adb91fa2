"""Carrying out a command: send what was claimed, settle what came of it. The sweep follows whoever dies in between."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django_q.tasks import async_task

from common import database, logs
from common.errors import HoldfastError
from payments import pacing, sending, settling
from payments.errors import OutcomeMismatchError
from payments.models import Command
from payments.outcomes import Outcome, PaymentOutcome

logger = logging.getLogger("holdfast.commands")

S = TypeVar("S", bound=settling.Settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Generic[S]):
    """What carrying out a command came to; ``known`` is whether the provider's answer is."""

    settled: S
    known: bool


def finish(command: Command, *, settle: Callable[..., S]) -> Done[S] | None:
    """Send a claimed command and settle the answer, outside any transaction; ``settle`` knows what the payment is of.

    What fails after the sending is logged, not raised: the command is stored, its lease ends, and the sweep asks the
    provider again with the same key.
    """
    news: PaymentOutcome = sending.send(command)
    if news.is_silent:
        _keep_pace(command, news)
    try:
        with database.use_case():
            settled = settle(news=news)
    except (DatabaseError, HoldfastError, OutcomeMismatchError) as error:
        logs.failure(logger, "An answer could not be noted; the sweep will ask again.", error, command=command.pk)
        return None
    if settled.next_command is not None:
        queue(command_id=settled.next_command)
    return Done(settled=settled, known=news.outcome is not Outcome.UNKNOWN)


def _keep_pace(command: Command, news: PaymentOutcome) -> None:
    """Let the background know that the provider refuses calls, or does not answer."""
    account = {"provider": command.payment.provider, "account": command.payment.provider_account}
    if news.retry_after is not None:
        pacing.rate_limited(**account, seconds=news.retry_after)
    else:
        pacing.failed(**account)


def queue(*, command_id: UUID) -> None:
    """Have a worker carry out a stored command as soon as this transaction has committed.

    If the queue is lost, or this process dies before it is told, the sweep finds the command within a minute.
    """
    transaction.on_commit(lambda: _queue(command_id), robust=True)


def _queue(command_id: UUID) -> None:
    async_task(settings.COMMAND_CARRIER, command_id=command_id, group="command", save=False)

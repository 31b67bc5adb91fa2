"""Execute commands: one after its change, or all due ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.conf import settings

from booking import outcomes
from booking.outcomes import ReservationResult
from common import database, loops, tasks
from common.locking import AsOf
from payments import commands, execution, sending, throttle
from payments.models import Command
from payments.outcome_steps import HandlingResult

Executed = execution.Executed[ReservationResult]
Due = AsOf[Command]


def execute(*, command_id: UUID) -> Executed | None:
    """Claim and execute a reservation's command.

    None if it cannot be claimed now, or its answer was not stored.
    """
    command = commands.claim(command_id=command_id)
    return execute_claimed(command) if command is not None else None


def execute_claimed(command: Command) -> Executed | None:
    """Send a claimed command of a reservation's payment and handle the answer.

    Must be called outside a transaction.
    """
    answer, result = execution.send(command), None
    with execution.keeping_failures(command), database.use_case():
        result = outcomes.handle_reserved(outcome=answer)
    return execution.follow(answer, result)


def execute_claimed_of_any(command: Command) -> execution.Executed[HandlingResult] | None:
    """Send a claimed command of any payment and handle the answer.

    Must be called outside a transaction.
    """
    answer, result = execution.send(command), None
    with execution.keeping_failures(command), database.use_case():
        result = outcomes.handle(outcome=answer)
    return execution.follow(answer, result)


@tasks.queued
def execute_any(*, command_id: UUID) -> bool:
    """Claim and execute a command of any payment.

    Django-q2 calls this by name (``COMMAND_CARRIER``).
    """
    command = commands.claim(command_id=command_id)
    return command is not None and execute_claimed_of_any(command) is not None


def execute_due(*, limit: int = 500) -> int:
    """Execute due commands, some at a time; returns how many.

    Safe when two run: claims are exclusive.

    A payment's commands go in order, so what waited for one of these is looked for again; each is tried once, and read
    is to the end of what is due, so that those that fail every time keep no other waiting. An
    account that is not to be called now (``payments.throttle``) is left out, and costs its commands no attempt. Each
    account is called once before it is called ``COMMAND_SENDERS`` times at once: one that does not answer is spared.
    What has to read a list before it is sent again goes one after the other: its calls are known only afterwards.
    """
    number, tried, run = 0, set[UUID](), _Run()
    while due := commands.list_due(limit=limit, but_not_of=run.paused, but_not=tried):
        tried |= {found.row.pk for found in due}
        number += _send(due, run)
    commands.flag_exhausted()
    return number


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run learns of accounts: which must not be called now, and which have answered."""

    paused: set[tuple[str, str]] = field(default_factory=set)
    answering: set[tuple[str, str]] = field(default_factory=set)


def _send(due: Sequence[Due], run: _Run) -> int:
    by_account: dict[tuple[str, str], list[Due]] = {}
    for found in due:
        by_account.setdefault(_account_of(found.row), []).append(found)
    number = _send_groups([group[:1] for group in by_account.values()], run)
    groups = []
    for account, (_, *others) in by_account.items():
        together = [found for found in others if account not in run.answering or sending.reads_lists(found.row)]
        groups += [[found] for found in others if found not in together]
        groups += [together] if together else []
    return number + _send_groups(groups, run)


def _send_groups(groups: Sequence[Sequence[Due]], run: _Run) -> int:
    """Send groups at once, and the commands of one group one after the other."""

    def send(group: Sequence[Due]) -> int:
        return loops.each(group, partial(_execute_alone, run=run), name="send_commands", label=_label).done

    return loops.each_at_once(groups, send, name="send_groups", threads=settings.COMMAND_SENDERS).done


def _execute_alone(found: Due, *, run: _Run) -> bool:
    command, account = found.row, _account_of(found.row)
    named = {"provider": account[0], "account": account[1]}
    calls = sending.count_calls(command, now=found.at)
    if account in run.paused:
        return False
    if throttle.acquire(**named, calls=calls):
        run.paused.add(account)
        return False
    claimed = commands.claim(command_id=command.pk)
    if claimed is None:
        throttle.count(**named, calls=-calls)  # somebody else has it, and counts its calls
        return False
    done = execute_claimed_of_any(claimed)
    if done is not None and done.known:
        run.answering.add(account)
        throttle.answered(**named)
    return done is not None


def _label(found: Due) -> str:
    return str(found.row.pk)


def _account_of(command: Command) -> tuple[str, str]:
    return command.payment.provider, command.payment.provider_account

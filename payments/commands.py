"""The outbox of everything that we ask of a provider.

``common.outbox`` says how a row is claimed and recorded.

What is particular to commands: those of one payment go in the order in which they were stored; what takes money is sent
only while it is wanted; what a sender learned of the payment is written even if another has the command: it is true.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

from common import database, ids, loops
from common.errors import BusyError
from common.locking import AsOf, clocked
from common.outbox import Outbox
from common.states import InvalidStateError
from payments import locks, managers, parameters
from payments.models import Command, Payment, Refund
from payments.models.payment import GIVEN_UP
from payments.outcome_types import Outcome, PaymentOutcome
from payments.states import COMMAND_OPEN, CommandKind, CommandStatus

logger = logging.getLogger("holdfast.commands")

_FINISHED_FIELDS = (
    "status",
    "extra_attempts",
    "turned_away",
    "answer_saved",
    "next_attempt_at",
    "leased_until",
    "last_error",
    "provider_request_id",
    "finished_at",
)
"""Every field that :func:`finish` changes."""

STARTING = (CommandKind.CREATE, CommandKind.AUTHORIZE, CommandKind.CHARGE)
"""What begins a payment: it goes before everything else, whatever the clocks of two nodes made of the ids."""

TAKING = (*STARTING, CommandKind.CONFIRM, CommandKind.CAPTURE)
"""What takes or holds money, or makes something that can: sent only while the payment is wanted."""


def lease() -> timedelta:
    """Return how long a sender has a command for itself."""
    return timedelta(seconds=settings.COMMAND_LEASE_SECONDS)


OUTBOX = Outbox(
    model=Command,
    open=COMMAND_OPEN,
    lease=lease,
    most_attempts=lambda: settings.COMMAND_MAX_ATTEMPTS,
    first_delay=timedelta(seconds=30),
    longest_delay=timedelta(hours=1),
    claiming="status = 'sent', first_sent_at = coalesce(first_sent_at, now())",
    in_order_of="payment",
    first=Q(kind__in=STARTING),
)


def new(
    *,
    payment: Payment,
    kind: CommandKind,
    requested_by: str,
    reason: str,
    now: datetime,
    command_id: UUID | None = None,
    amount: int | None = None,
    refund: Refund | None = None,
    beginning: parameters.Beginning | None = None,
) -> Command:
    """Make an unstored command that any sender may claim at once.

    ``amount`` (minor units) defaults to the payment's.
    """
    amount = payment.amount if amount is None else amount
    return Command(
        id=command_id or ids.new_id(),
        payment=payment,
        refund=refund,
        kind=kind,
        amount=amount,
        parameters=parameters.freeze(payment, kind, amount=amount, refund=refund, beginning=beginning, now=now),
        requested_by=requested_by,
        reason=reason,
        created_at=now,
        next_attempt_at=now,
    )


def claimed(command: Command, *, now: datetime) -> Command:
    """Claim an unstored command: the storing process sends it first."""
    command.move(CommandStatus.SENT)
    OUTBOX.claim_new(command, at=now)
    command.first_sent_at = now
    return command


def claim(*, command_id: UUID) -> Command | None:
    """Claim a command that is due; None if it is not free.

    It is not free while another sender has it, or an earlier command of the payment is open.

    Two statements: the claim, committed at once, and the payment. After them ``is_wanted`` says whether the payment is
    still wanted.
    """
    command = OUTBOX.claim(command_id)
    if command is not None:
        command.payment = Payment.objects.get(pk=command.payment_id)
        command.is_wanted = command.kind not in TAKING or _is_wanted(command.payment)
    return command


def _is_wanted(payment: Payment) -> bool:
    """Ask the rows, never a counter: the payment is open, its cancellation is not stored, its manager needs it."""
    canceling = payment.commands.filter(kind=CommandKind.CANCEL).exclude(status=CommandStatus.REFUSED)
    return not payment.is_final and not canceling.exists() and managers.needs(payment)


def list_due(
    *, limit: int, but_not_of: Collection[tuple[str, str]] = (), but_not: Collection[UUID] = ()
) -> list[AsOf[Command]]:
    """List commands to claim now, longest waiting first.

    Each with its payment.

    ``but_not_of`` names accounts of providers to leave out, as (provider, account), ``but_not`` commands.
    """
    due = OUTBOX.due().exclude(pk__in=but_not)
    for provider, account in but_not_of:
        due = due.exclude(payment__provider=provider, payment__provider_account=account)
    first = clocked(due.select_related("payment"))[:limit]
    return [AsOf.of(command) for command in first]


def finish(command: Command, outcome: PaymentOutcome, *, at: datetime) -> None:
    """Record an outcome on a command, in memory.

    Its payment is locked; the caller writes what :func:`fenced` returns.
    """
    command.leased_until = None
    command.provider_request_id = (outcome.request_id or command.provider_request_id)[:255]
    command.last_error = outcome.error
    if outcome.kind is Outcome.UNKNOWN and outcome.refund is None:
        command.move(CommandStatus.UNKNOWN)
        command.answer_saved = command.answer_saved or outcome.answer_saved
        if outcome.not_taken:
            command.turned_away += 1
        if outcome.retry_after is not None:
            command.extra_attempts += 1
        command.next_attempt_at = OUTBOX.retry_at(command, at=at, asked=outcome.retry_after)
        return
    refused = outcome.kind in (Outcome.DECLINED, Outcome.REFUSED)
    command.move(CommandStatus.REFUSED if refused else CommandStatus.DONE)
    command.next_attempt_at = None
    command.finished_at = at


def is_claimed_still(command: Command) -> bool:
    """Tell whether no other sender has claimed a command since.

    Its payment is locked.
    """
    return OUTBOX.held(command).filter(status=CommandStatus.SENT).exists()


def fenced(command: Command) -> database.Fenced:
    """Return the fenced change of a finished command.

    Only the sender who has it writes it, and learns which command comes next.
    """
    return OUTBOX.fenced(command, _FINISHED_FIELDS)


def flag_exhausted() -> int:
    """Flag payments whose command has no attempt left; returns how many.

    Taken are also those whose sender died on the last attempt. Safe when two run.
    """
    exhausted = OUTBOX.exhausted()
    flagged = loops.each(
        exhausted.values_list("id", "payment_id"),
        lambda row: _flag(exhausted, command_id=row[0], payment_id=row[1]),
        name="flag_exhausted",
        label=lambda row: str(row[0]),
    )
    return flagged.done


def _flag(exhausted: QuerySet[Command], *, command_id: UUID, payment_id: UUID) -> bool:
    with database.use_case():
        locked = locks.find_payment_for_update(pk=payment_id)
        if locked is None or not exhausted.filter(pk=command_id).exists():
            return False
        payment = locked.row
        command = Command.objects.get(pk=command_id)
        payment.flag_stuck(
            at=locked.at,
            because=f"{command.kind}: no answer in {command.attempts} attempts ({command.last_error or 'died'})",
        )
        command.next_attempt_at = None
        database.update_together((payment, ["stuck_at", "stuck_because"]), (command, ["next_attempt_at"]))
    logger.error("A command needs a person.", extra={"command": str(command_id), "payment": str(payment_id)})
    return True


def give_another_round(*, command_id: UUID) -> None:
    """Allow a command that ran out of attempts another round.

    It is sent from the next sweep on. Must be called outside a transaction.

    Raises:
        InvalidStateError: What came of it is known.
        BusyError: It is being sent at this moment.
    """
    payment_id = Command.objects.values_list("payment_id", flat=True).get(pk=command_id)
    with database.use_case():
        locked = locks.find_payment_for_update(pk=payment_id)
        command = Command.objects.get(pk=command_id)
        if locked is None or not command.is_open:
            raise InvalidStateError(kind="command", status=command.status, wanted=CommandStatus.SENT)
        payment = locked.row
        if not OUTBOX.start_round(command_id):
            raise BusyError
        if not given_up(payment=payment).exclude(pk=command_id).exists():
            payment.stuck_at, payment.stuck_because = None, ""
        database.update_together((payment, ["stuck_at", "stuck_because"]))


def given_up(*, payment: Payment) -> QuerySet[Command]:
    """Select a payment's abandoned commands of unknown outcome, in order."""
    return payment.commands.filter(GIVEN_UP).order_by("id")


def claim_once_more(*, command_id: UUID) -> Command | None:
    """Claim a command that ran out of attempts for one more.

    None if it has not run out, or another sender was faster.

    The payment stays flagged until it is known what came of it, and the command given up until it is claimed.
    """
    one_more = Greatest(F("extra_attempts"), F("attempts") + 1 - settings.COMMAND_MAX_ATTEMPTS)
    exhausted = Command.objects.filter(GIVEN_UP, pk=command_id)
    command: Command | None = None
    with database.use_case():
        if exhausted.update(extra_attempts=one_more, leased_until=None, next_attempt_at=TransactionNow()):
            command = claim(command_id=command_id)
        transaction.set_rollback(command is None)  # else it was given up no more, and the flag would go
    return command

"""The outbox of everything that we ask of a provider: store → claim → send → finish.

A command commits together with the state change that wants it, and before it is sent. Claiming is one statement that
counts the attempt and takes a lease; sending happens outside any transaction; what came of it is settled in one
transaction by the caller. Whoever dies in between leaves a row that the sweep finds when its lease is over, and the
same key makes the next attempt harmless. The commands of a payment are sent in the order in which they were stored.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest, Now

from common import database, ids, leases, loops, processes, retries
from common.locking import AsOf, clocked
from common.states import InvalidStateError
from payments import locks, managers
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

_NEXT = """(SELECT n.id FROM payments_command n
            WHERE n.payment_id = payments_command.payment_id AND n.id <> payments_command.id
              AND n.status IN ('requested', 'sent', 'unknown') AND n.next_attempt_at <= now()
              AND coalesce(n.leased_until, '-infinity') <= now()
            ORDER BY n.id LIMIT 1)"""
"""The command of the same payment that waits for one that is finished."""

FROZEN_FIELDS = ("amount", "currency", "capture_method", "payment_method_id")
"""Every field of a payment that :func:`new` looks at."""

_FIRST_DELAY, _LONGEST_DELAY = timedelta(seconds=30), timedelta(hours=1)

STARTING = (CommandKind.CREATE, CommandKind.AUTHORIZE, CommandKind.CHARGE)
"""What begins a payment: it goes before everything else, whatever the clocks of two nodes made of the ids."""

TAKING = (*STARTING, CommandKind.CONFIRM, CommandKind.CAPTURE)
"""What takes or holds money, or makes something that can: sent only while the payment is wanted."""


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
) -> Command:
    """Make a command, not yet stored, that any sender may claim at once. ``amount`` defaults to the payment's."""
    return Command(
        id=command_id or ids.new_id(),
        payment=payment,
        refund=refund,
        kind=kind,
        amount=payment.amount if amount is None else amount,
        parameters=_frozen(payment, kind, amount=payment.amount if amount is None else amount, refund=refund),
        requested_by=requested_by,
        reason=reason,
        created_at=now,
        next_attempt_at=now,
    )


def claimed(command: Command, *, now: datetime) -> Command:
    """Claim a command that is not stored yet: whoever stores it is its first sender."""
    command.move(CommandStatus.SENT)
    command.attempts = 1
    command.first_sent_at = now
    command.leased_until = now + lease()
    command.leased_by = processes.own()
    return command


def claim(*, command_id: UUID) -> Command | None:
    """Claim a command that is due, or return None if it is not, somebody has it, or an earlier one is still open.

    One statement, committed at once: the attempt is counted before the call. After it, ``is_wanted`` says whether the
    payment is still wanted.
    """
    values: list[Any] = [lease(), processes.own(), command_id, settings.COMMAND_MAX_ATTEMPTS]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE payments_command SET status = 'sent', attempts = attempts + 1, leased_until = now() + %s,
                                        leased_by = %s, first_sent_at = coalesce(first_sent_at, now())
            WHERE id = (SELECT c.id FROM payments_command c
                        WHERE c.id = %s AND c.status IN ('requested', 'sent', 'unknown')
                          AND c.next_attempt_at <= now() AND coalesce(c.leased_until, '-infinity') <= now()
                          AND c.attempts < c.extra_attempts + %s
                          AND NOT EXISTS (SELECT 1 FROM payments_command e
                                          WHERE e.payment_id = c.payment_id AND e.id <> c.id
                                            AND e.status IN ('requested', 'sent', 'unknown')
                                            AND (e.kind IN ('create', 'authorize', 'charge') OR e.id < c.id))
                        FOR NO KEY UPDATE SKIP LOCKED)
            """,
            values,
        )
        if cursor.rowcount == 0:
            return None
    command = Command.objects.select_related("payment").get(pk=command_id)
    command.is_wanted = command.kind not in TAKING or _is_wanted(command.payment)
    return command


def _is_wanted(payment: Payment) -> bool:
    """Ask the rows, never a counter: the payment is open, its cancellation is not stored, its manager needs it."""
    canceling = payment.commands.filter(kind=CommandKind.CANCEL).exclude(status=CommandStatus.REFUSED)
    return not payment.is_final and not canceling.exists() and managers.needs(payment)


def list_due(
    *, limit: int, but_not_of: Collection[tuple[str, str]] = (), but_not: Collection[UUID] = ()
) -> list[AsOf[Command]]:
    """List commands that a sender may claim now, with payment, the longest waiting first.

    ``but_not_of`` names accounts of providers to leave out, as (provider, account), ``but_not`` commands.
    """
    earlier = Command.objects.filter(
        Q(kind__in=STARTING) | Q(id__lt=OuterRef("id")), payment=OuterRef("payment"), status__in=sorted(COMMAND_OPEN)
    ).exclude(id=OuterRef("id"))
    due = Command.objects.exclude(pk__in=but_not).filter(
        leases.is_over(),
        ~Exists(earlier),
        status__in=sorted(COMMAND_OPEN),
        next_attempt_at__lte=Now(),
        attempts__lt=F("extra_attempts") + settings.COMMAND_MAX_ATTEMPTS,
    )
    for provider, account in but_not_of:
        due = due.exclude(payment__provider=provider, payment__provider_account=account)
    first = clocked(due.select_related("payment").order_by("next_attempt_at"))[:limit]
    return [AsOf.of(command) for command in first]


def finish(command: Command, outcome: PaymentOutcome, *, at: datetime) -> None:
    """Note on the command what came of it; its payment is locked and the caller writes what :func:`fenced` says."""
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
        command.next_attempt_at = at + _wait(command, outcome.retry_after)
        return
    refused = outcome.kind in (Outcome.DECLINED, Outcome.REFUSED)
    command.move(CommandStatus.REFUSED if refused else CommandStatus.DONE)
    command.next_attempt_at = None
    command.finished_at = at


def is_claimed_still(command: Command) -> bool:
    """Say whether the sender of a command has it still, and no other has claimed it since. Its payment is locked."""
    return Command.objects.filter(pk=command.pk, attempts=command.attempts, status=CommandStatus.SENT).exists()


def fenced(command: Command) -> database.Fenced:
    """Say how a finished command is written: only by the sender who has it, and told which one comes next.

    A sender whose lease was over may have been replaced: the number of the claim has moved on.
    """
    return database.Fenced(row=command, fields=_FINISHED_FIELDS, fence="attempts", returning=_NEXT)


def free_left_behind() -> int:
    """End the leases of senders that ran on this machine before and have ended; returns how many.

    What they sent may still be on its way: the key makes sending it again harmless.
    """
    return leases.end_left_behind(Command.objects.filter(status=CommandStatus.SENT))


def flag_exhausted() -> int:
    """Flag payments whose command has no attempt left and no sender alive, and return how many.

    Taken are also those whose sender died on the last attempt. Safe when two run.
    """
    exhausted = Command.objects.filter(
        leases.is_over(),
        status__in=sorted(COMMAND_OPEN),
        attempts__gte=F("extra_attempts") + settings.COMMAND_MAX_ATTEMPTS,
        next_attempt_at__isnull=False,
    )
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
    """Let a command that ran out of attempts be tried again, from the next sweep on. Outside a transaction.

    Raises:
        InvalidStateError: What came of it is known.
    """
    payment_id = Command.objects.values_list("payment_id", flat=True).get(pk=command_id)
    with database.use_case():
        locked = locks.find_payment_for_update(pk=payment_id)
        command = Command.objects.get(pk=command_id)
        if locked is None or not command.is_open:
            raise InvalidStateError(kind="command", status=command.status, wanted=CommandStatus.SENT)
        payment = locked.row
        command.extra_attempts, command.leased_until, command.next_attempt_at = command.attempts, None, locked.at
        if not given_up(payment=payment).exclude(pk=command_id).exists():
            payment.stuck_at, payment.stuck_because = None, ""
        fields = ["extra_attempts", "leased_until", "next_attempt_at"]
        database.update_together((payment, ["stuck_at", "stuck_because"]), (command, fields))


def given_up(*, payment: Payment) -> QuerySet[Command]:
    """Select a payment's commands of unknown outcome that nobody will send any more, in their order."""
    return payment.commands.filter(GIVEN_UP).order_by("id")


def claim_once_more(*, command_id: UUID) -> Command | None:
    """Claim a command that ran out of attempts for one more; None if it is not such a one, or somebody was faster.

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


def _wait(command: Command, asked: float | None) -> timedelta:
    tried = command.attempts - command.extra_attempts
    return retries.delay(tried, first=_FIRST_DELAY, longest=_LONGEST_DELAY, asked=asked)


def _frozen(payment: Payment, kind: CommandKind, *, amount: int, refund: Refund | None) -> dict[str, object]:
    frozen: dict[str, object] = {
        "payment_id": str(payment.pk),
        "amount": amount,
        "currency": payment.currency,
        "capture_method": payment.capture_method,
        "payment_method_id": "" if kind is CommandKind.CREATE else payment.payment_method_id,
        "installation": settings.INSTALLATION,
    }
    return frozen | ({"refund_id": str(refund.pk), "reason": refund.reason} if refund else {})


def lease() -> timedelta:
    """Return how long a sender has a command for itself."""
    return timedelta(seconds=settings.COMMAND_LEASE_SECONDS)

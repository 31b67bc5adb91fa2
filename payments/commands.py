"""The outbox of everything that we ask of a provider; :mod:`common.outbox` says how it is claimed and recorded.

What is particular to commands: those of one payment go in the order in which they were stored; what takes money is sent
only while it is wanted; what a sender learned of the payment is written even if another has the command: it is true.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

from common import database, ids, loops, times
from common.errors import BusyError
from common.locking import AsOf, clocked
from common.outbox import Outbox
from common.states import InvalidStateError
from payments import locks, managers
from payments.models import Command, Payment, Refund
from payments.models.payment import GIVEN_UP
from payments.outcome_types import Outcome, PaymentOutcome
from payments.providers import registry
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

FROZEN_FIELDS = ("amount", "currency", "capture_method", "payment_method_id")
"""Every field of a payment that :func:`new` looks at."""

STARTING = (CommandKind.CREATE, CommandKind.AUTHORIZE, CommandKind.CHARGE)
"""What begins a payment: it goes before everything else, whatever the clocks of two nodes made of the ids."""

TAKING = (*STARTING, CommandKind.CONFIRM, CommandKind.CAPTURE)
"""What takes or holds money, or makes something that can: sent only while the payment is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What only a command that begins a payment tells, frozen with it."""

    payer: Mapping[str, str] = field(default_factory=dict)
    """``name``, ``email`` and ``reference``, as far as known; kept only for a provider that needs them."""
    expires_at: datetime | None = None
    """When what the guest pays by is to end. None: whenever the provider ends it."""


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
    beginning: Beginning | None = None,
) -> Command:
    """Make a command, not yet stored, that any sender may claim at once. ``amount`` defaults to the payment's."""
    amount = payment.amount if amount is None else amount
    parameters = _frozen(payment, kind, amount=amount)
    if refund is not None:
        parameters |= {"refund_id": str(refund.pk), "reason": refund.reason}
    if beginning is not None:
        parameters |= _begun(payment, beginning, now=now)
    return Command(
        id=command_id or ids.new_id(),
        payment=payment,
        refund=refund,
        kind=kind,
        amount=amount,
        parameters=parameters,
        requested_by=requested_by,
        reason=reason,
        created_at=now,
        next_attempt_at=now,
    )


def claimed(command: Command, *, now: datetime) -> Command:
    """Claim a command that is not stored yet; the storing process sends first."""
    command.move(CommandStatus.SENT)
    OUTBOX.claim_new(command, at=now)
    command.first_sent_at = now
    return command


def claim(*, command_id: UUID) -> Command | None:
    """Claim a command that is due, or return None if it is not, somebody has it, or an earlier one is still open.

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
    """List commands that a sender may claim now, with payment, the longest waiting first.

    ``but_not_of`` names accounts of providers to leave out, as (provider, account), ``but_not`` commands.
    """
    due = OUTBOX.due().exclude(pk__in=but_not)
    for provider, account in but_not_of:
        due = due.exclude(payment__provider=provider, payment__provider_account=account)
    first = clocked(due.select_related("payment"))[:limit]
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
        command.next_attempt_at = OUTBOX.retry_at(command, at=at, asked=outcome.retry_after)
        return
    refused = outcome.kind in (Outcome.DECLINED, Outcome.REFUSED)
    command.move(CommandStatus.REFUSED if refused else CommandStatus.DONE)
    command.next_attempt_at = None
    command.finished_at = at


def is_claimed_still(command: Command) -> bool:
    """Say whether the sender of a command has it still, and no other has claimed it since. Its payment is locked."""
    return OUTBOX.held(command).filter(status=CommandStatus.SENT).exists()


def fenced(command: Command) -> database.Fenced:
    """Say how a finished command is written: only by the sender who has it, and told which one comes next."""
    return OUTBOX.fenced(command, _FINISHED_FIELDS)


def flag_exhausted() -> int:
    """Flag payments whose command has no attempt left and no sender alive, and return how many.

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
    """Let a command that ran out of attempts be tried again, from the next sweep on. Outside a transaction.

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


def _frozen(payment: Payment, kind: CommandKind, *, amount: int) -> dict[str, object]:
    return {
        "payment_id": str(payment.pk),
        "amount": amount,
        "currency": payment.currency,
        "capture_method": payment.capture_method,
        "payment_method_id": "" if kind is CommandKind.CREATE else payment.payment_method_id,
        "installation": settings.INSTALLATION,
    }


def _begun(payment: Payment, beginning: Beginning, *, now: datetime) -> dict[str, object]:
    """Freeze who pays, if the provider needs it, and by when: a retry asks with the same words."""
    capable = registry.get(payment.provider).capabilities
    frozen: dict[str, object] = {}
    if capable.needs_payer:
        frozen["payer"] = {name: text for name, text in beginning.payer.items() if text}
    if capable.longest_code is not None:
        latest = now + capable.longest_code
        frozen["expires_at"] = times.rfc3339(min(beginning.expires_at or latest, latest))
    return frozen

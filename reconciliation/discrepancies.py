"""Discrepancies for a person: opened once, acknowledged, resolved with a reason."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from common import database, ids, loops
from payments.models import Payment
from reconciliation import evidence, locks
from reconciliation.accounts import Account
from reconciliation.models import ACCEPTED, SETTLED, Discrepancy, DiscrepancyKind, DiscrepancyStatus
from webhooks.models import OPEN, Event, EventStatus

logger = logging.getLogger("holdfast.reconciliation")

ACTOR = "reconciliation"

_PATIENCE = timedelta(minutes=10)
"""How long a refund may wait for its capture before a person is told."""


def open_once(
    *,
    kind: DiscrepancyKind,
    account: Account,
    subject: str,
    summary: str,
    difference: Mapping[str, Any],
    seen: Mapping[str, Any],
    payment: Payment | None = None,
    operator_id: UUID | None = None,
    by: str = ACTOR,
) -> bool:
    """Store a difference unless open or accepted; returns whether it is new.

    Safe when two run: the database lets one unresolved difference of a kind be for each subject.
    """
    about = {"kind": kind, "provider": account.provider, "account": account.account, "subject": subject}
    if Discrepancy.objects.filter(**about, resolution=ACCEPTED, difference=dict(difference)).exists():
        return False
    row = Discrepancy(
        id=ids.new_id(),
        **about,
        operator_id=payment.operator_id if payment else operator_id,
        payment=payment,
        summary=summary,
        difference=dict(difference),
        evidence=dict(seen),
        opened_at=Now(),
        opened_by=by,
    )
    Discrepancy.objects.bulk_create([row], ignore_conflicts=True)
    is_new = Discrepancy.objects.filter(pk=row.pk).exists()
    if is_new:
        logger.warning("A person is needed.", extra={"discrepancy": str(row.pk), "kind": kind, "subject": subject})
    return is_new


def open_or_refresh(**told: Any) -> bool:
    """Store a difference as :func:`open_once`, and end a changed one.

    None is ever rewritten.
    """
    account = told["account"]
    same = {"kind": told["kind"], "provider": account.provider, "account": account.account, "subject": told["subject"]}
    outdated = unresolved(told["kind"]).filter(**same).exclude(summary=told["summary"])
    resolve_each(outdated, because=f"it is told anew: {told['summary']}")
    return open_once(**told)


def keep_with_stuck() -> int:
    """Open a discrepancy for every stuck payment; resolve those of others.

    Returns how many were opened. Code that flags a payment (the outbox, a check) need not know of discrepancies.
    """
    told = unresolved(DiscrepancyKind.STUCK)
    stuck = Payment.objects.filter(stuck_at__isnull=False).exclude(pk__in=told.values("payment"))
    opened = loops.each(loops.flat(loops.pages(stuck)), _open_for_stuck, name="open_for_stuck").done
    resolve_each(told.filter(payment__stuck_at=None), because="what came of it is known now")
    return opened


def _open_for_stuck(payment: Payment) -> bool:
    return open_once(
        kind=DiscrepancyKind.STUCK,
        account=Account(payment.provider, payment.provider_account),
        subject=str(payment.pk),
        summary=payment.stuck_because,
        difference={"stuck_at": payment.stuck_at.isoformat() if payment.stuck_at else ""},
        seen=evidence.of_payment(payment),
        payment=payment,
    )


def keep_with_failed_events() -> int:
    """Open a discrepancy for every failed event; resolve applied ones.

    Failed: tried no more, or waiting for long.

    Returns how many were opened. One of an unknown payment is none, unless it bears our mark: other programs may use
    the account.
    """
    told = unresolved(DiscrepancyKind.EVENT)
    waiting_long = Q(status=EventStatus.ORPHANED, payment__isnull=False, received_at__lt=Now() - _PATIENCE)
    failed = Event.objects.filter(Q(status=EventStatus.FAILED, next_attempt_at=None) | waiting_long)
    untold = failed.exclude(Exists(told.filter(**_same("provider", "account"), subject=OuterRef("event_id"))))
    opened = loops.each(loops.flat(loops.pages(untold)), _open_for_event, name="open_for_events").done
    waiting = Event.objects.filter(status__in=sorted(OPEN))
    still = waiting.filter(**_same("provider", "account"), event_id=OuterRef("subject"))
    resolve_each(told.exclude(Exists(still)), because="the event is applied now")
    return opened


def _same(*names: str) -> dict[str, OuterRef]:
    return {name: OuterRef(name) for name in names}


def _open_for_event(event: Event) -> bool:
    its_own = {"provider": event.provider, "provider_account": event.account, "provider_ref": event.object_ref}
    payment = event.payment or Payment.objects.filter(**its_own).first()
    return open_once(
        kind=DiscrepancyKind.EVENT,
        account=Account(event.provider, event.account),
        subject=event.event_id,
        summary=f"{event.type}: {event.error}",
        difference={"event": event.event_id, "error": event.error},
        seen=(evidence.of_payment(payment) if payment else {}) | {"event": evidence.of_event(event)},
        payment=payment,
    )


def unresolved(kind: DiscrepancyKind) -> QuerySet[Discrepancy]:
    """Select the open and acknowledged discrepancies of a kind."""
    return Discrepancy.objects.exclude(status=DiscrepancyStatus.RESOLVED).filter(kind=kind)


def resolve_each(rows: QuerySet[Discrepancy], *, because: str) -> None:
    """Resolve discrepancies that the facts have settled, one transaction each."""

    def settle(row: Discrepancy) -> None:
        resolve(discrepancy_id=row.pk, by=ACTOR, because=because, resolution=SETTLED)

    loops.each(rows, settle, name="resolve_discrepancies")


def acknowledge(*, discrepancy_id: UUID, by: str, because: str) -> Discrepancy:
    """Note that somebody is at it. Must be called outside a transaction.

    Raises:
        InvalidStateError: Somebody is already, or it is resolved.
    """
    return _move(discrepancy_id, lambda row, at: row.acknowledge(at=at, by=by, because=because))


def resolve(*, discrepancy_id: UUID, by: str, because: str, resolution: str) -> Discrepancy:
    """Resolve a discrepancy by a person. Must be called outside a transaction.

    Raises:
        InvalidStateError: It is resolved already.
    """
    return _move(discrepancy_id, lambda row, at: row.resolve(at=at, by=by, because=because, resolution=resolution))


def _move(discrepancy_id: UUID, change: Callable[[Discrepancy, datetime], None]) -> Discrepancy:
    with database.use_case():
        locked = locks.get_discrepancy_for_update(discrepancy_id=discrepancy_id)
        change(locked.row, locked.at)
        locked.row.save()
    return locked.row

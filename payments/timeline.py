"""The history of a payment in one order of time, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from adminkit import staff_log
from common import currencies
from payments.models import CheckAttempt, Command, Dispute, Payment
from payments.states import CommandStatus
from tenants import clocks

_ASKED = {
    "create": "prepare a payment of {}",
    "confirm": "hold or take {} from the card",
    "authorize": "hold {} on the card",
    "charge": "take {} from the card",
    "capture": "take the {} that are held",
    "cancel": "release the hold of {}",
    "refund": "give {} back",
}
_RESULTS = {
    CommandStatus.REQUESTED: "not sent yet",
    CommandStatus.SENT: "sent, no answer yet",
    CommandStatus.UNKNOWN: "no answer: it will be asked again with the same key",
    CommandStatus.DONE: "done",
    CommandStatus.REFUSED: "refused",
}

_ROW = '<tr class="kind-{}"><td>{}</td><td><b>{}</b></td><td>{}</td><td>{}</td><td>{}</td></tr>'
_TABLE = (
    '<table class="timeline"><thead><tr><th>When ({})</th><th>What</th><th></th><th>By</th><th>Why</th></tr></thead>'
    "<tbody>{}</tbody></table>"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Of the same moment, an event comes first, for it is why the rest happened; others stay in the order given.
    """

    at: datetime
    kind: str
    text: str
    actor: str
    reason: str = ""


def of_payment(payment: Payment, *, also: Iterable[Any] = ()) -> list[Entry]:
    """List a payment's states, commands, events, checks, refunds and mails.

    What people did to other rows that belong to it, ``also`` names.
    """
    found = [
        Entry(change.at, "payment", f"{change.from_status or 'new'} → {change.to_status}", change.actor, change.reason)
        for change in payment.history.all()
    ]
    for command in payment.commands.all():
        found.append(Entry(command.created_at, "asked", _asked(command), command.requested_by, command.reason))
        if command.finished_at is not None:
            found.append(_answered(command))
    found += [
        Entry(attempt.finished_at or attempt.at, "check", _checked(attempt), "reconciliation", attempt.error)
        for attempt in payment.check_attempts.all()
    ]
    found += [
        Entry(event.received_at, "event", f"{event.type}: {event.effect or event.status}", event.event_id, event.error)
        for event in payment.events.all()
    ]
    found += [
        Entry(
            refund.changed_at,
            "refund",
            f"refund of {currencies.shown(refund.amount, payment.currency)}: {refund.status}",
            refund.requested_by,
            refund.failure_code or refund.reason,
        )
        for refund in payment.refunds.all()
    ]
    found += [
        Entry(dispute.created_at, "dispute", f"the bank disputes {_shown(dispute)}: {dispute.status}",
              dispute.provider_ref, dispute.reason)
        for dispute in payment.disputes.all()
    ]  # fmt: skip
    found += [
        Entry(mail.sent_at or mail.created_at, "mail", f"{mail}: {mail.get_status_display().lower()}", "holdfast",
              mail.last_error)
        for mail in payment.mails.all()
    ]  # fmt: skip
    if payment.stuck_at is not None:
        found.append(Entry(payment.stuck_at, "stuck", "a person is needed", "holdfast", payment.stuck_because))
    return found + of_people([payment, *payment.commands.all(), *payment.events.all(), *payment.mails.all(), *also])


def of_people(rows: Iterable[Any]) -> list[Entry]:
    """List what people did to rows, with their typed reasons."""
    return [Entry(entry.at, "person", entry.text, entry.actor, entry.reason) for entry in staff_log.list_of(rows)]


def shown(entries: Iterable[Entry], *, zone: str) -> SafeString:
    """Write entries as a table, oldest first, in a time zone."""
    rows = format_html_join(
        "",
        _ROW,
        (
            (
                entry.kind,
                clocks.written(entry.at, zone, seconds=True),
                entry.kind,
                entry.text,
                entry.actor,
                entry.reason,
            )
            for entry in sorted(entries, key=lambda entry: (entry.at, entry.kind != "event"))
        ),
    )
    return format_html(
        _TABLE,
        zone,
        rows,
    )


def _shown(dispute: Dispute) -> str:
    return currencies.shown(dispute.amount, dispute.currency)


def _checked(attempt: CheckAttempt) -> str:
    said = f"the provider says {attempt.provider_status}" if attempt.provider_status else "the provider was asked"
    result = attempt.done or attempt.get_result_display().lower()
    return f"check {attempt.number}: {said}; {result}"


def _asked(command: Command) -> str:
    money = currencies.shown(command.amount, command.payment.currency)
    asked = f"the provider to {_ASKED[command.kind].format(money)}"
    if command.finished_at is None:
        tries = f", {command.attempts} attempts" if command.attempts > 1 else ""
        asked += f" ({_RESULTS[CommandStatus(command.status)]}{tries})"
    return asked


def _answered(command: Command) -> Entry:
    text = f"{command.kind}: {_RESULTS[CommandStatus(command.status)]}"
    if command.attempts > 1:
        text += f" at attempt {command.attempts}"
    at = command.finished_at or command.created_at
    return Entry(at, "answer", text, f"provider:{command.payment.provider}", command.last_error)

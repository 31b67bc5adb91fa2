"""The money and the past of a reservation, as its page tells."""

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from booking import dues
from booking.models import History, Receipt, Reservation
from booking.states import HOLDING
from catalogue import terms
from common import currencies
from payments import timeline
from payments.timeline import Entry
from tenants import clocks


def dues_of(row: Reservation) -> SafeString | str:
    """Write what has to be paid by when, a line each."""
    lines = [
        (each.purpose, currencies.shown(each.amount, row.currency), each.status,
         f" by {clocks.when(each.by, row.activity.timezone)}" if each.by is not None else "")
        for each in dues.list_of(row)
    ]  # fmt: skip
    return format_html_join(mark_safe("<br>"), "{} {}: {}{}", lines) or "—"


def terms_of(row: Reservation) -> str:
    """Write the cancellation terms, as they were sold."""
    return "; ".join(terms.in_words(row.terms or [], currency=row.currency)) or "—"


def timeline_of(row: Reservation) -> SafeString:
    """Write the history of a reservation and its payments, by time."""
    changes = row.history.select_related("moved_from")
    own = [Entry(change.at, "reservation", _changed(change, row), change.actor, change.reason) for change in changes]
    own += [Entry(less.at, "owed", str(less), less.actor, less.reason) for less in row.adjustments.all()]
    own += [_taken(receipt) for receipt in row.receipts.all()]
    for number, payment in enumerate(row.payments):
        own += timeline.of_payment(payment, also=[] if number else [row])
    if not row.payments:
        own += timeline.of_people([row])
    return timeline.shown(own, zone=row.activity.timezone)


def _taken(receipt: Receipt) -> Entry:
    """Tell of money that no provider took."""
    waits = receipt.approved_at is None and receipt.declined_at is None
    said = "declined" if receipt.declined_at is not None else "waits for a second person" if waits else "counts"
    return Entry(receipt.at, "receipt", f"{receipt}: {said}", receipt.actor, receipt.reason)


def _changed(change: History, row: Reservation) -> str:
    if change.moved_from is not None:
        return f"moved here from {clocks.when(change.moved_from.starts_at, row.activity.timezone)}"
    if change.from_status == change.to_status:
        return f"{change.to_status}, and its hold lives longer" if change.to_status in HOLDING else change.to_status
    return f"{change.from_status or 'new'} → {change.to_status}"

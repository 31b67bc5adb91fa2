"""From rows to the fields of the HTTP contract.

Plain functions, since they run on every request.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from booking import availability, cancelling, dues
from booking.models import Adjustment, Change, History, Reservation, Unit
from catalogue import terms
from catalogue.models import Activity, Rate, Slot
from common.times import rfc3339
from payments.api import presenters as payments
from tenants import actors

_OWN_WORDS = frozenset(
    ("reserve", "confirm", "cancel", "refunded in full", "the hold's time is over", "the money came late; seated again")
)
_EVENT_TYPE = re.compile(r"(payment_intent|charge|refund)(\.[a-z_]+)+")


def resource(row: Activity) -> dict[str, Any]:
    """Show an activity, the contract's resource, with its (prefetched) rates."""
    return {
        "id": str(row.pk),
        "name": row.name,
        "description": row.description,
        "exclusive": row.exclusive,
        "timezone": row.timezone,
        "currency": row.currency,
        "rates": [_rate(rate) for rate in row.rates.all()],
    }


def slot(row: Slot) -> dict[str, Any]:
    """Show a slot as ``availability.slots`` reads it."""
    judgement = availability.Judgement.of(row)
    return {
        "id": str(row.pk),
        "resource_id": str(row.activity_id),
        "starts_at": rfc3339(row.starts_at),
        "ends_at": rfc3339(row.ends_at),
        "capacity": row.capacity,
        "available": judgement.free,
        "status": judgement.verdict,
        "rates": availability.rates_of(row),
    }


def reservation_and_payment(
    row: Reservation, units: Iterable[Unit], adjustments: Iterable[Adjustment], *, now: datetime
) -> dict[str, Any]:
    """Show a reservation beside its payments."""
    shown = [payments.payment(payment) for payment in row.payments]
    pairs = zip(shown, row.payments, strict=True)
    current = next((each for each, payment in pairs if payment.pk == row.payment_id), None)
    return {"reservation": _reservation(row, units, adjustments, now), "payment": current, "payments": shown}


def cancellation(row: Reservation, quote: cancelling.Quote) -> dict[str, Any]:
    """Show what a cancellation comes to."""
    return {
        "fee": quote.fee,
        "refund": quote.refund,
        "on_account": quote.on_account,
        "currency": row.currency,
        "terms": terms.in_words(quote.rules, currency=row.currency),
    }


def without_secrets(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what pays a reservation."""
    hidden = [payments.without_secrets(payment) for payment in shown["payments"]]
    current = shown["payment"] and payments.without_secrets(shown["payment"])
    return {**shown, "payment": current, "payments": hidden}


def for_program(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Hide payment secrets and most of the mail address from read-only keys."""
    reservation = shown["reservation"]
    customer = {**reservation["customer"], "email": _masked(reservation["customer"]["email"])}
    return without_secrets({**shown, "reservation": {**reservation, "customer": customer}})


def change(row: History) -> dict[str, Any]:
    """Show one entry of a history."""
    return {
        "at": rfc3339(row.at),
        "from": row.from_status or None,
        "to": row.to_status,
        "actor": row.actor,
        "reason": row.reason,
    }


def change_without_names(row: History, *, customer: str) -> dict[str, Any]:
    """Show a history entry with roles for names, and without free text.

    ``customer`` is the actor's name of the customer who reads it.
    """
    is_ours = row.reason in _OWN_WORDS or _EVENT_TYPE.fullmatch(row.reason) is not None
    role = actors.role_of(row.actor, customer=customer)
    return {**change(row), "actor": role, "reason": row.reason if is_ours else ""}


def _masked(address: str) -> str:
    """Write a mail address so that a person can compare it, and nobody can write to it: a***@example.com."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}***{at}{host}" if at else address


def _rate(row: Rate) -> dict[str, Any]:
    return {"id": str(row.pk), "unit": row.unit, "name": row.name, "amount": row.amount}


def _reservation(
    row: Reservation, units: Iterable[Unit], adjustments: Iterable[Adjustment], now: datetime
) -> dict[str, Any]:
    is_due = row.is_due(now)
    return {
        "id": str(row.pk),
        "reference": row.reference,
        "status": row.status_at(now),
        "resource_id": str(row.activity_id),
        "slot_id": str(row.slot_id) if row.slot_id else None,
        "date": row.day.isoformat() if row.day else None,
        "units": _grouped(units),
        "places": row.places,
        "amount": row.amount,
        "amount_owed": 0 if is_due else row.amount_owed,
        "amount_proven": row.amount_proven,
        "amount_collected": row.amount_collected,
        "balance": 0 if is_due else row.balance,
        "currency": row.currency,
        "pay_by": row.pay_by,
        "dues": [_due(each) for each in ([] if is_due else dues.list_of(row))],
        "terms": None if row.terms is None else terms.in_words(row.terms, currency=row.currency),
        "adjustments": [_adjustment(each) for each in adjustments],
        "change": None if row.change is None or row.change.is_due(now) else _open_change(row.change),
        "customer": {
            "name": row.customer_name,
            "email": row.customer_email,
            "reference": row.customer_reference or None,
            "language": row.customer_language or None,
        },
        "expires_at": rfc3339(row.expires_at),
        "confirmed_at": rfc3339(row.confirmed_at),
        "paid_at": rfc3339(row.paid_at),
        "created_at": rfc3339(row.created_at),
        "metadata": row.metadata,
    }


def _open_change(row: Change) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "slot_id": str(row.slot_id),
        "places": row.places,
        "amount": row.amount,
        "amount_due": row.amount_due,
        "expires_at": rfc3339(row.expires_at),
    }


def _due(row: dues.Due) -> dict[str, Any]:
    return {"purpose": row.purpose, "amount": row.amount, "by": rfc3339(row.by), "status": row.status}


def _adjustment(row: Adjustment) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "kind": row.kind,
        "name": row.name or None,
        "amount": row.amount,
        "at": rfc3339(row.at),
    }


def _grouped(units: Iterable[Unit]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, int], dict[str, Any]] = {}
    for row in units:
        line = {"unit": row.unit, "name": row.name, "quantity": 0, "amount": row.amount}
        groups.setdefault((row.unit, row.amount), line)["quantity"] += 1
    return list(groups.values())

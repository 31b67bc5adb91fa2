"""How the backoffice shows money, times and links."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from adminkit import links
from common import currencies

_COLOURS = {
    "paid": "good", "succeeded": "good",
    "pending": "held", "confirmed": "held", "on_hold": "held", "processing": "held",
    "awaiting_payment": "waiting", "requires_action": "waiting", "requires_confirmation": "waiting",
    "requires_payment_method": "waiting",
    "failed": "bad",
}  # fmt: skip


def status(row: Any) -> SafeString:
    """Show the status of a reservation or payment, with its colour."""
    if row is None:
        return format_html("{}", "—")
    return format_html(
        '<span class="hf-status hf-{}">{}</span>', _COLOURS.get(row.status, "over"), row.get_status_display()
    )


def alarm(text: str) -> SafeString:
    """Show that a person is needed."""
    return format_html('<span class="hf-status hf-bad">{}</span>', text)


def money(field: str, *, currency: str = "currency", description: str = "") -> Callable[[Any, Any], SafeString | str]:
    """Make a column that shows minor units as money.

    A path leads to the currency.
    """

    @admin.display(description=description or field.replace("_", " "))
    def shown(page: Any, row: Any) -> SafeString | str:
        code = row
        for name in currency.split("__"):
            code = getattr(code, name)
        amount = getattr(row, field)
        if amount is None or (not amount and not code):
            return "—"
        return format_html('<span class="hf-money">{}</span>', currencies.shown(amount, code))

    return shown


def number(field: str, *, currency: str = "currency") -> Callable[[dict[str, Any]], Decimal | None]:
    """Make an export's column of minor units: a number beside its currency."""

    def exported(row: dict[str, Any]) -> Decimal | None:
        return None if row[field] is None else currencies.to_major(row[field], row[currency] or "")

    return exported


def link(row: Any, text: str = "") -> SafeString | str:
    """Link to the page of a row."""
    if row is None:
        return "—"
    return format_html('<a href="{}">{}</a>', links.page_of(row), text or row)

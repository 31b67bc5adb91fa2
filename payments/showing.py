"""How the backoffice shows money, times and links."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString

from common import times
from tenants import addresses

_COLOURS = {
    "paid": "good", "succeeded": "good",
    "pending": "held", "confirmed": "held", "on_hold": "held", "processing": "held",
    "awaiting_payment": "waiting", "requires_action": "waiting", "requires_confirmation": "waiting",
    "requires_payment_method": "waiting",
    "failed": "bad",
}  # fmt: skip


def status(row: Any) -> SafeString:
    """Show where a reservation or a payment stands, in a colour that says how well."""
    return format_html(
        '<span class="hf-status hf-{}">{}</span>', _COLOURS.get(row.status, "over"), row.get_status_display()
    )


def when(at: datetime | None, zone: str = "UTC") -> str:
    """Write a time by the clock of a place; of an hour that comes twice, say which of the two it is."""
    if at is None:
        return "—"
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M} {local:%Z}" if times.comes_twice(local) else f"{local:%Y-%m-%d %H:%M}"


def link(row: Any, text: str = "") -> SafeString | str:
    """Link to the page of a row."""
    if row is None:
        return "—"
    return format_html('<a href="{}">{}</a>', addresses.page_of(row), text or row)

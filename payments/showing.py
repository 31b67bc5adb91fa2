"""How the backoffice shows money, times and links."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

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


def link(row: Any, text: str = "") -> SafeString | str:
    """Link to the page of a row."""
    if row is None:
        return "—"
    return format_html('<a href="{}">{}</a>', addresses.page_of(row), text or row)

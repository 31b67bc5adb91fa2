"""How the backoffice shows money, times and links."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

LABELS = {
    "paid": "success", "succeeded": "success",
    "pending": "info", "confirmed": "info", "on_hold": "info", "processing": "info",
    "awaiting_payment": "warning", "requires_action": "warning", "requires_confirmation": "warning",
    "failed": "danger",
    "expired": "default", "cancelled": "default", "canceled": "default", "refunded": "default",
}  # fmt: skip
"""The colour of a status, of a reservation or a payment; the others have none."""


def when(at: datetime | None, zone: str = "UTC") -> str:
    """Write a time by the clock of a place."""
    return "—" if at is None else f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def link(row: Any, text: str = "") -> SafeString | str:
    """Link to the page of a row."""
    if row is None:
        return "—"
    meta = row._meta
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]), text or row
    )

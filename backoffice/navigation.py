"""What the side of every page of the backoffice leads to."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from adminkit import links

_GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Guests",
        (
            ("booking.reservation", "Reservations", "confirmation_number"),
            ("catalogue.slot", "Departures", "sailing"),
            ("catalogue.activity", "Activities", "kayaking"),
            ("notifications.mail", "Mails", "mail"),
        ),
    ),
    (
        "Money",
        (
            ("payments.payment", "Payments", "payments"),
            ("payments.refund", "Refunds", "undo"),
            ("booking.receipt", "Receipts", "receipt_long"),
            ("booking.till", "Tills", "point_of_sale"),
            ("payments.dispute", "Disputes", "gavel"),
            ("reconciliation.discrepancy", "Discrepancies", "balance"),
            ("reconciliation.settlementrun", "Settlement runs", "event_available"),
            ("reconciliation.ledgerentry", "Ledger entries", "menu_book"),
        ),
    ),
    (
        "Underneath",
        (
            ("payments.command", "Commands", "outbox"),
            ("webhooks.event", "Events", "inbox"),
            ("webhooks.notice", "Notices", "notifications"),
            ("payments.providerthrottle", "Provider throttles", "speed"),
            ("sweeps.sweeprun", "Sweeps", "mop"),
            ("adminkit.bulkrun", "Bulk actions", "checklist"),
            ("django_q.failure", "Failed tasks", "error"),
        ),
    ),
    (
        "Access",
        (
            ("tenants.operator", "Operators", "storefront"),
            ("tenants.user", "People", "group"),
            ("tenants.apiclient", "API clients", "key"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """List the pages that the person may see, by purpose."""
    first = {"title": "Dashboard", "icon": "dashboard", "link": reverse("admin:index")}
    groups = [{"items": [first]}]
    pages = {model._meta.label_lower: page for model, page in admin.site._registry.items()}
    for title, items in _GROUPS:
        shown = [
            {"title": name, "icon": icon, "link": links.list_of(label)}
            for label, name, icon in items
            if pages[label].has_view_permission(request)
        ]
        if shown:
            groups.append({"title": title, "separator": True, "items": shown})  # type: ignore[dict-item]
    return groups


def account(request: HttpRequest) -> list[dict[str, str | Callable[..., str]]]:
    """List what stands in the person's own menu."""
    return [{"title": "Second factor", "link": reverse("admin:second_factor")}]

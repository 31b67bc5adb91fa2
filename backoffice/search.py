"""Search over all lists: references, mail addresses, names, and ids."""

from typing import Any

from django.contrib.admin import AdminSite
from django.core.paginator import Page, Paginator
from django.db.models import Model
from django.http import HttpRequest
from unfold.dataclasses import SearchResult

from adminkit import links
from adminkit.pages import ScopedAdmin
from booking.models import Reservation
from payments.models import Dispute, Payment, Refund
from reconciliation.models import Discrepancy
from webhooks.models import Event

_SEARCHED: tuple[tuple[type[Model], str], ...] = (
    (Reservation, "confirmation_number"),
    (Payment, "payments"),
    (Refund, "undo"),
    (Dispute, "gavel"),
    (Event, "inbox"),
    (Discrepancy, "balance"),
)
_MOST = 8
"""Rows of one kind that are shown."""


def find(site: AdminSite, request: HttpRequest, text: str) -> list[SearchResult]:
    """List the pages and rows that a text means, newest first.

    It finds what a search in each list would find.
    """
    found = []
    for model, icon in _SEARCHED:
        page = site._registry[model]
        if isinstance(page, ScopedAdmin) and page.has_view_permission(request):
            rows, _ = page.get_search_results(request, page.get_queryset(request), text)
            found += [_result(page, row, icon) for row in rows.order_by("-id")[:_MOST]]
    return found + _pages(site, request, text)


def one_page(found: list[SearchResult]) -> Page[SearchResult]:
    """Return what was found in the form that the theme shows."""
    return Paginator(found, max(len(found), 1)).page(1)


def _result(page: ScopedAdmin, row: Any, icon: str) -> SearchResult:
    return SearchResult(title=str(row), description=page.described(row), link=links.page_of(row), icon=icon)


def _pages(site: AdminSite, request: HttpRequest, text: str) -> list[SearchResult]:
    wanted = text.lower()
    return [
        SearchResult(title=str(model["name"]), description=str(app["name"]), link=model["admin_url"], icon="list")
        for app in site.get_app_list(request)
        for model in app["models"]
        if wanted in str(model["name"]).lower()
    ]

"""The page on which an action asks for its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse

from adminkit import bulk, links
from adminkit.models import BulkRun
from adminkit.pages import ScopedAdmin

MOST_SHOWN = 20
"""Rows that the page lists; of more it says that there are more."""


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        max_length=500, error_messages={"required": "Please say why: it is kept in the history."},
        help_text="It is kept with your name.", widget=forms.TextInput(attrs={"autofocus": True}),
    )  # fmt: skip

    def clean_reason(self) -> str:
        """Write it in one line."""
        return " ".join(self.cleaned_data["reason"].split())


def given(request: HttpRequest) -> QueryDict | None:
    """Return the posted values of the page; None if not posted."""
    return cast(QueryDict, request.POST) if "reason" in request.POST else None


def reason_form(request: HttpRequest) -> ReasonForm:
    """Return the reason form, filled in if the page was posted."""
    return ReasonForm(given(request))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page that asks for a reason: its action, rows and input."""

    modeladmin: ScopedAdmin
    request: HttpRequest
    rows: QuerySet[Any]
    title: str
    action: str
    why: ReasonForm
    more: forms.Form

    def answer(self, *, errors: Sequence[str] = ()) -> HttpResponse:
        """Show it, with why it could not be done."""
        shown = list(self.rows[: MOST_SHOWN + 1])
        context = {
            **self.modeladmin.admin_site.each_context(self.request),
            "title": self.title,
            "action": self.action,
            "why": self.why,
            "form": self.more,
            "refusals": errors,
            "rows": [self._named(row) for row in shown[:MOST_SHOWN]],
            "has_more": len(shown) > MOST_SHOWN,
            "select_across": self.request.POST.get("select_across") == "1",
            "chosen": self.request.POST.getlist(ACTION_CHECKBOX_NAME),
            "opts": self.modeladmin.model._meta,
            "query": self.request.GET.urlencode(),
            "next": began_at(self.request),
        }
        return TemplateResponse(self.request, "backoffice/ask_reason.html", context)

    def _named(self, row: Any) -> str:
        """Name a row, and say what it is where the name says little: a guest beside a reference."""
        what = self.modeladmin.described(row)
        return str(row) if what.lower() == str(self.modeladmin.opts.verbose_name).lower() else f"{row} · {what}"


def began_at(request: HttpRequest) -> str:
    """Return the page where the action was chosen."""
    wanted = request.POST.get("next", "")
    return wanted if links.is_ours(wanted) else request.get_full_path()


def back(modeladmin: ScopedAdmin, request: HttpRequest, rows: Sequence[Any]) -> HttpResponse:
    """Redirect to where the action began.

    To the list, if the row is no longer the person's.
    """
    page = began_at(request)
    is_of_row = len(rows) == 1 and page.partition("?")[0] == links.page_of(rows[0])
    if is_of_row and not modeladmin.get_queryset(request).filter(pk=rows[0].pk).exists():
        page = links.list_of(modeladmin.model)
    return HttpResponseRedirect(page)


def do_later(
    modeladmin: ScopedAdmin, request: HttpRequest, run: BulkRun, rows: Sequence[Any], *, form: forms.Form
) -> HttpResponse:
    """Store a run of many rows and show its progress.

    It keeps what the form was given, and nothing else.
    """
    run.model = modeladmin.opts.label_lower
    posted = cast(QueryDict, request.POST)
    run.given = urlencode({name: posted.getlist(name) for name in form.fields if name in posted}, doseq=True)
    run.rows = [str(row.pk) for row in rows]
    run.save(force_insert=True)
    bulk.queue(run)
    return HttpResponseRedirect(f"{links.page_of(run)}?{urlencode({'next': began_at(request)})}")

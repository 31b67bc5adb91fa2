"""Actions of the backoffice: each asks for a reason, is done to each chosen row, and is kept with who and why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import ngettext

from common.errors import HoldfastError
from tenants import addresses, bulk, roles
from tenants.models import BulkRun, User
from tenants.roles import Power

if TYPE_CHECKING:
    from tenants.backoffice import ScopedAdmin

Act = Callable[..., str]
"""Does something to a row for an actor and a reason, with what its form asks for; says what came of it."""

AT_ONCE = 20
"""More rows than these are done in the background, with a page that shows how far it is."""
MOST = 5_000
"""Rows of one go."""

_NOT_ALLOWED = "your role does not allow this."


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What an action does, and who may have it done."""

    name: str
    description: str
    act: Act
    power: Power
    form: type[forms.Form] = field(default=forms.Form)
    fits: Callable[[Any], bool] = _always


def reasoned(
    description: str,
    act: Act,
    *,
    name: str,
    power: Power,
    form: type[forms.Form] = forms.Form,
    fits: Callable[[Any], bool] = _always,
) -> Callable[..., HttpResponse | None]:
    """Make an admin action that asks for a reason on a page of its own and then does ``act`` to each chosen row.

    What else it needs to know (an amount, some minutes), ``form`` asks for, and ``act`` is given it by name; a form
    that has ``for_rows`` is shown the rows and the person. It is offered to who has the power at one of their
    operators, and done to rows of those where they have it. A row that refuses (by a :class:`HoldfastError`) is told
    of and stops no other. The page of a row shows it where it ``fits``; whether it can be done, ``act`` decides.
    """
    doing = Doing(name=name, description=description, act=act, power=power, form=form, fits=fits)

    @admin.action(description=description, permissions=["view"])
    def run(modeladmin: "ScopedAdmin", request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        asked = "reason" in request.POST
        more = form_of(doing, request.POST if asked else None, rows=queryset, person=request.user)
        if not reason or not more.is_valid():
            context = {"title": description, "action": name, "form": more, "is_missing": asked and not reason}
            return _ask(modeladmin, request, queryset, context)
        chosen = list(queryset[: MOST + 1])
        if len(chosen) > MOST:
            modeladmin.message_user(request, f"Choose at most {MOST} at once.", messages.ERROR)
            return None
        if len(chosen) > AT_ONCE:
            return _do_later(modeladmin, request, doing, chosen)
        _do_now(modeladmin, request, doing, chosen, more.cleaned_data)
        return None

    run.__name__ = name
    run.doing = doing  # type: ignore[attr-defined]  # read by the pages, and by those who carry it out later
    return run


def doing_of(action: Any) -> Doing | None:
    """Return what an action does; None if it is not one of ours."""
    return getattr(action, "doing", None)


def form_of(doing: Doing, given: Any, *, rows: QuerySet[Any], person: Any) -> forms.Form:
    """Return the form of what else is to be known, filled in with what was given (None: nothing yet)."""
    form = doing.form(given)
    if hasattr(form, "for_rows"):
        form.for_rows(rows, person)
    return form


def do(
    modeladmin: "ScopedAdmin", row: Any, *, doing: Doing, person: User, reason: str, given: dict[str, Any]
) -> str | None:
    """Do it to a row and keep who did it and why; returns None, or why it was refused."""
    if not roles.may(person, doing.power, modeladmin.operator_id_of(row)):
        return f"{row}: {_NOT_ALLOWED}"
    try:
        told = doing.act(row, f"user:{person.get_username()}", reason, **given)
    except HoldfastError as refusal:
        return f"{row}: {refusal.message}"
    LogEntry.objects.log_actions(person.pk, [row], CHANGE, f"{told} Reason: {reason}", single_object=True)
    return None


def _do_now(
    modeladmin: "ScopedAdmin", request: HttpRequest, doing: Doing, rows: list[Any], given: dict[str, Any]
) -> None:
    done, reason, person = 0, request.POST["reason"].strip(), cast(User, request.user)
    for row in rows:
        refused = do(modeladmin, row, doing=doing, person=person, reason=reason, given=given)
        if refused:
            modeladmin.message_user(request, refused, messages.ERROR)
        else:
            done += 1
    if done:
        what = {"what": doing.description, "n": done}
        modeladmin.message_user(request, ngettext("%(what)s: %(n)d done.", "%(what)s: %(n)d done.", done) % what,
                                messages.SUCCESS)  # fmt: skip


def _do_later(modeladmin: "ScopedAdmin", request: HttpRequest, doing: Doing, rows: list[Any]) -> HttpResponse:
    run = BulkRun.objects.create(
        person=cast(User, request.user),
        model=modeladmin.opts.label_lower,
        action=doing.name,
        title=doing.description,
        reason=request.POST["reason"].strip(),
        given=cast(QueryDict, request.POST).urlencode(),
        rows=[str(row.pk) for row in rows],
    )
    bulk.queue(run)
    return HttpResponseRedirect(addresses.page_of(run))


def _ask(
    modeladmin: "ScopedAdmin", request: HttpRequest, queryset: QuerySet[Any], context: dict[str, Any]
) -> HttpResponse:
    shown = list(queryset[: AT_ONCE + 1])
    around = {
        **modeladmin.admin_site.each_context(request),
        "rows": shown[:AT_ONCE],
        "has_more": len(shown) > AT_ONCE,
        "select_across": request.POST.get("select_across") == "1",
        "chosen": request.POST.getlist("_selected_action"),
        "opts": modeladmin.model._meta,
        "query": request.GET.urlencode(),
    }
    return TemplateResponse(request, "backoffice/ask_reason.html", around | context)

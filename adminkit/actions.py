"""Actions of the backoffice, each with a reason that is recorded.

An action is done to each chosen row, and kept with who did it and why.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from adminkit import reason_page, staff_log
from adminkit.models import BulkRun
from adminkit.pages import ScopedAdmin
from adminkit.spec import Act, ActionSpec, Told, always
from common import logs, loops, request_id
from common.errors import HoldfastError
from tenants.models import User
from tenants.roles import Permission

logger = logging.getLogger("holdfast.backoffice")

AT_ONCE = reason_page.MOST_SHOWN
"""More rows than these are done in the background, with a page that shows how far it is."""
MOST = 5_000
"""Rows of one go."""
_TOLD_ONE_BY_ONE = 5
"""Of no more rows than these it is said of each what was done."""

_NOT_ALLOWED = "your role does not allow this."
_FAILED = "something went wrong on our side, and it may be done or not: look at it before you try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an action on one row.

    ``told`` if it was done, ``refused`` (with the row's name) if it was not.
    """

    row: str
    told: Told | None = None
    refused: str | None = None


def reasoned(
    description: str,
    act: Act,
    *,
    name: str,
    permission: Permission,
    form: type[forms.Form] = forms.Form,
    fits: Callable[[Any], bool] = always,
) -> Callable[..., HttpResponse]:
    """Make an admin action that first asks for a reason.

    It then does ``act`` to each chosen row.

    What else it needs to know (an amount, some minutes), ``form`` asks for, and ``act`` is given it by name; a form
    that has ``for_rows`` is shown the rows and the person. It is offered to who has the permission at one of their
    operators, and done to rows of those where they have it. A row that refuses or fails is told of and stops no other;
    if none could be done, the page that asked is shown again with what was typed. The page of a row shows the action
    where it ``fits``; whether it can be done, ``act`` decides.
    """
    spec = ActionSpec(name=name, description=description, act=act, permission=permission, form=form, fits=fits)

    @admin.action(description=description, permissions=["view"])
    def run(modeladmin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return _run(modeladmin, request, queryset, spec)

    run.__name__ = name
    run.spec = spec  # type: ignore[attr-defined]  # read by the pages, and by those who carry it out later
    return run


def form_of(spec: ActionSpec, given: Any, *, rows: QuerySet[Any], person: Any) -> forms.Form:
    """Return the form for further input, filled in with ``given`` (None: empty)."""
    form = spec.form(given)
    if hasattr(form, "for_rows"):
        form.for_rows(rows, person)
    return form


def do(
    modeladmin: ScopedAdmin, row: Any, *, spec: ActionSpec, person: User, reason: str, given: dict[str, Any]
) -> Outcome:
    """Do an action to a row; record who and why.

    Whatever the row raises is reported in words, without its values.
    """
    name = str(row)
    if not modeladmin.may(person, spec.permission, row):
        return Outcome(row=name, refused=f"{name}: {_NOT_ALLOWED}")
    try:
        answer = spec.act(row, f"user:{person.get_username()}", reason, **given)
    except HoldfastError as refusal:
        return Outcome(row=name, refused=f"{name}: {refusal.message}")
    except Exception as error:  # noqa: BLE001  # a failing row stops no other, and is no error page
        logs.failure(logger, "An action failed.", error, action=spec.name, row=row.pk)
        under = f" (in the log under {current})" if (current := request_id.current.get()) else ""
        return Outcome(row=name, refused=f"{name}: {_FAILED}{under}.")
    told = Told(text=answer) if isinstance(answer, str) else answer
    staff_log.note(row, person=person, told=told.text, reason=reason)
    return Outcome(row=name, told=told)


def _run(modeladmin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Any], spec: ActionSpec) -> HttpResponse:
    why = reason_page.reason_form(request)
    more = form_of(spec, reason_page.given(request), rows=queryset, person=request.user)
    page = reason_page.Page(
        modeladmin=modeladmin, request=request, rows=queryset, title=spec.description, action=spec.name,
        why=why, more=more,
    )  # fmt: skip
    if not (why.is_valid() & more.is_valid()):  # both, so that each says what is wrong
        return page.answer()
    chosen = list(queryset[: MOST + 1])
    if len(chosen) > MOST:
        modeladmin.message_user(request, f"Choose at most {MOST} at once.", messages.ERROR)
        return reason_page.back(modeladmin, request, chosen[:1])
    reason = why.cleaned_data["reason"]
    if len(chosen) > AT_ONCE:
        run = BulkRun(person=cast(User, request.user), action=spec.name, title=spec.description, reason=reason)
        return reason_page.do_later(modeladmin, request, run, chosen, form=more)
    person = cast(User, request.user)
    outcomes: list[Outcome] = []

    def act(row: Any) -> None:
        outcomes.append(do(modeladmin, row, spec=spec, person=person, reason=reason, given=more.cleaned_data))

    run_of_rows = loops.each(chosen, act, name=f"action {spec.name}")
    outcomes += [Outcome(row="", refused=problem) for problem in run_of_rows.problems]
    if outcomes and all(outcome.refused for outcome in outcomes):
        return page.answer(errors=[outcome.refused or "" for outcome in outcomes])
    _tell(modeladmin, request, spec, outcomes)
    return reason_page.back(modeladmin, request, chosen)


def _tell(modeladmin: ScopedAdmin, request: HttpRequest, spec: ActionSpec, outcomes: list[Outcome]) -> None:
    """Say what was done: the sentence of one row, or how many of several, which were not, and why."""
    done = [outcome.told for outcome in outcomes if outcome.told]
    refused = [outcome.refused for outcome in outcomes if outcome.refused]
    if len(outcomes) == 1 and done:
        modeladmin.message_user(request, done[0].text, messages.SUCCESS)
    elif outcomes:
        text = f"{spec.description}: {len(done)} done"
        text += f", {len(refused)} not: {' '.join(refused)}" if refused else "."
        modeladmin.message_user(request, text, messages.WARNING if refused else messages.SUCCESS)
        for outcome in outcomes if len(outcomes) <= _TOLD_ONE_BY_ONE else ():
            if outcome.told:
                modeladmin.message_user(request, f"{outcome.row}: {outcome.told.text}", messages.INFO)
    for told in done:
        if told.once:
            link = request.build_absolute_uri(told.link) if told.link else ""
            modeladmin.message_user(request, f"{told.once} {link}".strip(), messages.WARNING)

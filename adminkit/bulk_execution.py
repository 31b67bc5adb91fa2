"""Execution of an action on many rows, by a worker."""

from functools import partial
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, QueryDict

from adminkit import actions, bulk
from adminkit.models import BulkRun
from adminkit.pages import ScopedAdmin
from adminkit.spec import ActionSpec, spec_of
from common import errors, loops, tasks
from tenants.models import User


@tasks.queued
def carry_on(*, run_id: UUID) -> bool:
    """Do the rest of a run; False if claimed or finished.

    Django-q2 calls this by name.

    What the person may do is looked up at each row anew. Rows that they do not see (any more) are not touched.
    """
    run = bulk.claim(run_id)
    if run is None:
        return False
    page = cast(ScopedAdmin, admin.site._registry[apps.get_model(run.model)])
    spec = next(spec for action in page.actions or () if (spec := spec_of(action)) and spec.name == run.action)
    form = actions.form_of(spec, QueryDict(run.given), rows=_seen(page, run).filter(pk__in=run.rows), person=run.person)
    wrong = "" if form.is_valid() else " ".join(str(each) for told in form.errors.values() for each in told)

    def carry(key: str) -> bool:
        try:
            refused = _do(page, run, key, spec=spec, form=form, wrong=wrong)
        except Exception as error:
            bulk.note(run, refused=f"{key}: {errors.describe(error)}. It may be done or not: look at it.")
            raise
        bulk.note(run, refused=refused)
        return refused is None

    done = loops.each(iter(partial(bulk.begin, run), None), carry, name="bulk_run", label=str)
    return done.is_complete


def _do(page: ScopedAdmin, run: BulkRun, key: str, *, spec: ActionSpec, form: Form, wrong: str) -> str | None:
    """Do it to one row; returns None, or why it was refused."""
    # The person is read anew: they may have lost their place meanwhile.
    run.person = User.objects.get(pk=run.person_id)
    row = _seen(page, run).filter(pk=key).first()
    if row is None:
        return f"{key}: there is none."
    if wrong:
        return f"{row}: {wrong}"
    return actions.do(page, row, spec=spec, person=run.person, reason=run.reason, given=form.cleaned_data).refused


def _seen(page: ScopedAdmin, run: BulkRun) -> QuerySet[Any]:
    request = HttpRequest()
    request.user = run.person
    return page.get_queryset(request)

"""Carrying out an action on many rows, one after the other; what a worker calls."""

from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from tenants import acting, bulk
from tenants.backoffice import ScopedAdmin
from tenants.models import BulkRun, User


def carry_on(*, run_id: UUID) -> bool:
    """Do what is left of a run; False if it is in another's hands, or finished. Django-q2 calls this by name.

    What the person may do is looked up at each row anew. Rows that they do not see (any more) are not touched.
    """
    run = bulk.claim(run_id)
    if run is None:
        return False
    page = cast(ScopedAdmin, admin.site._registry[apps.get_model(run.model)])
    doing = next(
        doing for action in page.actions or () if (doing := acting.doing_of(action)) and doing.name == run.action
    )
    form = acting.form_of(doing, QueryDict(run.given), rows=_seen(page, run).filter(pk__in=run.rows), person=run.person)
    wrong = "" if form.is_valid() else " ".join(str(error) for errors in form.errors.values() for error in errors)
    while (key := bulk.begin(run)) is not None:
        # The person is read anew: they may have lost their place meanwhile.
        run.person = User.objects.get(pk=run.person_id)
        row = _seen(page, run).filter(pk=key).first()
        if row is None:
            refused: str | None = f"{key}: there is none."
        elif wrong:
            refused = f"{row}: {wrong}"
        else:
            person, given = run.person, form.cleaned_data
            refused = acting.do(page, row, doing=doing, person=person, reason=run.reason, given=given).refused
        bulk.note(run, refused=refused)
    return True


def _seen(page: ScopedAdmin, run: BulkRun) -> QuerySet[Any]:
    request = HttpRequest()
    request.user = run.person
    return page.get_queryset(request)

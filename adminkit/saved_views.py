"""Saved views: a list's filters, search and order, by name."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict

from adminkit import links
from adminkit.models import SavedView

_MOST = 30
"""Views of one list that a person can have."""


class ViewForm(forms.ModelForm[SavedView]):
    """The name of a view, and what it shows."""

    class Meta:
        model = SavedView
        fields = ("name", "query")


def of(person: Any, *, model: str, query: str) -> list[dict[str, Any]]:
    """List a person's views, each with whether it is shown now."""
    rows = SavedView.objects.filter(person=person, model=model)[:_MOST]
    shown = _parts(query)
    return [{"name": row.name, "query": row.query, "is_shown": _parts(row.query) == shown} for row in rows]


def save(page: admin.ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """Save the posted view; ``forget`` deletes it.

    A view of the same name is overwritten.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    model = page.opts.label_lower
    mine = SavedView.objects.filter(person=request.user.pk, model=model)
    form = ViewForm(request.POST)
    back = links.list_of(page.model)
    if "forget" in request.POST:
        mine.filter(name=request.POST.get("name", "")).delete()
    elif not form.is_valid():
        messages.error(request, "A view needs a name of at most 60 characters.")
    elif mine.exclude(name=form.cleaned_data["name"]).count() >= _MOST:
        messages.error(request, f"You already have {_MOST} views. Delete one first.")
    else:
        name, query = form.cleaned_data["name"], form.cleaned_data["query"]
        SavedView.objects.update_or_create(person_id=request.user.pk, model=model, name=name, defaults={"query": query})
        messages.success(request, f"The view {name} is saved.")
    return HttpResponseRedirect(f"{back}?{request.POST.get('query', '')}")


def _parts(query: str) -> list[tuple[str, list[str]]]:
    return sorted((name, values) for name, values in QueryDict(query).lists() if name not in ("p", "all"))

"""Sweeps in the backoffice: when each last ran, and its result."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from adminkit.pages import ReadOnlyAdmin
from sweeps.models import SweepRun


@admin.register(SweepRun)
class SweepRunAdmin(ReadOnlyAdmin):
    """One row for each sweep; they belong to no operator."""

    operator_path = ""
    list_display = (
        "name",
        "started_at",
        "finished_at",
        "handled",
        "error",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Show all sweeps to all staff: a late sweep concerns everybody."""
        return SweepRun.objects.all()

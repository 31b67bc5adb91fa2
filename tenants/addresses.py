"""Where the backoffice shows things: the page of a row, and the list of its kind."""

from typing import Any

from django.apps import apps
from django.urls import reverse


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{_name(row)}_change", args=[row.pk])


def list_of(model: Any) -> str:
    """Return the address of a model's list; the model itself, or its label, such as ``booking.slot``."""
    return reverse(f"admin:{_name(apps.get_model(model) if isinstance(model, str) else model)}_changelist")


def _name(of: Any) -> str:
    return f"{of._meta.app_label}_{of._meta.model_name}"

"""Links to pages of the backoffice: rows and lists."""

from typing import Any

from django.apps import apps
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

_LONGEST = 4_000


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{_name(row)}_change", args=[row.pk])


def list_of(model: Any) -> str:
    """Return the URL of a model's list.

    The model itself, or its label, such as ``catalogue.slot``.
    """
    return reverse(f"admin:{_name(apps.get_model(model) if isinstance(model, str) else model)}_changelist")


def is_ours(address: str) -> bool:
    """Tell whether a requested URL is a page of the backoffice."""
    is_path = address.startswith(reverse("admin:index")) and address.isprintable() and len(address) <= _LONGEST
    return is_path and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def _name(of: Any) -> str:
    return f"{of._meta.app_label}_{of._meta.model_name}"

"""The desk as somebody of the staff has it: who is signed in, its pages, its actions and its forms."""

import json
import re
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from adminkit.spec import ActionSpec, spec_of
from catalogue.models import Activity
from tenants.models import Member, Operator, Role, User


def sign_in(*, operator: Operator | None, role: Role = Role.MANAGER) -> Client:
    """Sign in as somebody of an operator's staff, or (None) as a superuser."""
    name = f"person-of-{operator.slug}" if operator else "root"
    user = User.objects.create_user(name, password="x", is_staff=True, is_superuser=operator is None)
    if operator is not None:
        Member.objects.create(user=user, operator=operator, role=role)
    client = Client()
    client.force_login(user)
    return client


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def list_of(model: Any) -> str:
    """Return the address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def act(client: Client, row: Any, action: str, reason: str | None) -> Any:
    """Choose an action for a row, and give the reason that it asks for, if any."""
    body = {"action": action, "_selected_action": str(row.pk)} | ({} if reason is None else {"reason": reason})
    return client.post(list_of(type(row)), body, follow=True)


def text_of(answer: Any) -> str:
    """Return what a page shows of its rows, without addresses and hidden fields."""
    page = answer.content.decode()
    return re.sub(r"<[^>]*>", " ", page[page.find('id="content-main"') :])


def export(client: Client, model: Any, **query: str) -> Any:
    """Fetch an export; returns what is in it."""
    answer: Any = client.get(f"{list_of(model)}export/", query)
    assert answer.streaming
    assert answer["Content-Type"] == "application/json"
    return json.loads(b"".join(answer.streaming_content))


def chosen() -> list[tuple[type[Model], Any]]:
    """List every action of every page, with the model that it is of."""
    return [(model, action) for model, page in admin.site._registry.items() for action in page.actions or ()]


def all_actions() -> list[tuple[type[Model], ActionSpec]]:
    """List every action that changes something, by introspection: a new one is in it by itself."""
    return [(model, spec) for model, action in chosen() if (spec := spec_of(action))]


def rates(activity: Activity, **typed: str) -> dict[str, str]:
    """Write the form of an activity with its prices as a person does."""
    body = {"operator": str(activity.operator_id), "name": activity.name, "timezone": activity.timezone,
            "currency": activity.currency, "is_active": "on", "rates-INITIAL_FORMS": str(activity.rates.count()),
            "rates-TOTAL_FORMS": str(max(activity.rates.count(), len(typed)))}  # fmt: skip
    found = {rate.unit: rate for rate in activity.rates.all()}
    for number, (unit, price) in enumerate(typed.items()):
        body |= {f"rates-{number}-unit": unit, f"rates-{number}-name": unit, f"rates-{number}-amount": price}
        body |= {f"rates-{number}-id": str(found[unit].pk) if unit in found else "",
                 f"rates-{number}-activity": str(activity.pk)}  # fmt: skip
    return body


def prices(activity: Activity) -> dict[str, int]:
    """Return the prices of an activity by unit, in minor units."""
    return dict(activity.rates.values_list("unit", "amount"))

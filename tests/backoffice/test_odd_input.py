"""Whatever is typed into the desk or its addresses: an answer in words, and never a fault of ours."""

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from adminkit.spec import spec_of
from catalogue.models import Slot
from tests.support.api import Frontend
from tests.support.desk import list_of, page_of, sign_in
from tests.support.environment import sized
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

LONG = "x" * 10_000
REFUSED = ("a%00b", "%ED%A0%80", LONG)
"""What is refused where text comes in."""
QUERIES = (*REFUSED, "0001", "9999", "0001-01-01", "9999-12-31", "2026-00", "1969", "-1")
TYPED = (LONG, "0001-01-01", "9999-12-31", "-1", "9" * 400, "NaN", "1e400", "\u202e'\"<\\", "a\0b")
ALWAYS = ("q", "p", "o", "e", "on", "_changelist_filters", "no_such")


@pytest.fixture
def world(sandbox: Sandbox) -> Slot:
    slot = SlotFactory.create(activity__timezone="Asia/Tokyo")
    Frontend.of(slot).reserve(slot)
    return slot


def parameters(client: Client, path: str) -> set[str]:
    """Return what the filters of a list take, found on the list itself."""
    changes = (client.get(path).context or {}).get("cl")
    found = {str(name) for spec in changes.filter_specs for name in spec.expected_parameters()} if changes else set()
    return found | set(ALWAYS)


def fields(form: Any, number: int = 0) -> dict[str, str]:
    """Return what a form posts as it stands: by the names of its widgets."""
    found: dict[str, str] = {}
    for bound in form:
        widgets = getattr(bound.field.widget, "widgets", None)
        names = [f"{bound.html_name}_{part}" for part in range(len(widgets))] if widgets else [bound.html_name]
        value = bound.value()
        for part, name in enumerate(names):
            found[name] = str((value[part] if isinstance(value, list) and widgets else value) or "")
    return found


class TestQueries:
    def test_of_every_list(self, world: Slot) -> None:
        """Each parameter of each list, by introspection, with odd values."""
        client = sign_in(operator=None)
        client.raise_request_exception = False
        refused, tried = itertools.cycle(REFUSED), 0
        for model, page in admin.site._registry.items():
            # An export reads its rows by the same filters as the list, without writing a page.
            exported = f"{list_of(model)}export/" if getattr(page, "export_fields", ()) else list_of(model)
            names = parameters(client, list_of(model))
            odd = [(name, value) for name in sorted(names) for value in sized((next(refused), "0001"), long=QUERIES)]
            odd += [("on", value) for value in QUERIES] if getattr(page, "period", "") else []
            for name, value in odd:
                path = list_of(model) if name in ("on", "p") else exported
                answer: Any = client.get(f"{path}?{quote(name)}={value}")
                assert answer.status_code < 500, (path, name, value[:20])
                b"".join(answer.streaming_content) if answer.streaming else None
                tried += 1
        assert tried > 300

    def test_of_every_other_page(self, world: Slot) -> None:
        client = sign_in(operator=None)
        client.raise_request_exception = False
        row = page_of(world)
        for path, value in itertools.product(
            (
                f"{reverse('admin:search')}?s=", f"{reverse('admin:index')}?x=", f"{reverse('admin:login')}?next=",
                f"{row}?_changelist_filters=", f"{row}?_to_field=", f"{row}?_popup=", "/admin/jsi18n/?x=",
                "/admin/autocomplete/?app_label=tenants&model_name=member&field_name=user&term=",
                "/admin/autocomplete/?app_label=tenants&model_name=member&field_name=user&page=",
                "/admin/autocomplete/?field_name=user&model_name=member&app_label=",
                "/admin/catalogue/slot/add/?activity=",
                "/admin/catalogue/slot/add/?starts_at=", "/admin/set-password/x/",
            ),
            QUERIES,
        ):  # fmt: skip
            assert client.get(path + value).status_code < 500, (path, value[:20])

    def test_of_a_page_on_a_site_that_there_is_not(self, world: Slot) -> None:
        of_slots = ContentType.objects.get_for_model(Slot).pk
        client = sign_in(operator=None)
        assert [client.get(f"/admin/r/{of_slots}/{key}/").status_code for key in ("21", world.pk)] == [404, 404]


class TestForms:
    def pages(self, client: Client, world: Slot) -> Iterator[tuple[str, dict[str, str]]]:
        """Every form of the desk with what it would post, by introspection: of rows, of new ones, and of actions."""
        for model, page in admin.site._registry.items():
            row = model._default_manager.first()
            addresses = [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")]
            addresses += [page_of(row)] if row is not None else []
            for path in addresses:
                context = client.get(path).context
                if context and context.get("adminform") and context["adminform"].form.fields:
                    typed = fields(context["adminform"].form)
                    for inline in context.get("inline_admin_formsets", ()):
                        typed |= fields(inline.formset.management_form)
                        for form in inline.formset.forms:
                            typed |= fields(form)
                    yield path, typed
            for action in page.actions or ():
                spec = spec_of(action)
                if spec is not None and row is not None:
                    chosen = {"action": spec.name, "_selected_action": str(row.pk), "next": page_of(row)}
                    asked = client.post(list_of(model), chosen)
                    yield list_of(model), chosen | fields(asked.context["form"]) | {"reason": "as agreed"}
        yield reverse("admin:catalogue_slot_save_view"), {"name": "Mine", "query": "on=2026"}
        yield reverse("admin:login"), {"username": "x", "password": "x", "otp_token": "", "next": "/admin/"}

    def test_of_every_field(self, world: Slot) -> None:
        client = sign_in(operator=None)
        client.raise_request_exception = False
        odd, tried = itertools.cycle(TYPED), 0
        for path, typed in list(self.pages(client, world)):
            for name in typed:
                for value in sized((next(odd),), long=TYPED):
                    answer = client.post(path, typed | {name: value})
                    assert answer.status_code < 500, (path, name, value[:20])
                    tried += 1
        assert tried > 80

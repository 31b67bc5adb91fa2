"""Rows for the tests, each as an installation would have it."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from catalogue.models import Activity, Rate, Slot
from payments import credentials
from payments.models import Mode, ProviderAccount
from payments.providers import registry
from tenants import api_keys
from tenants.models import ApiClient, Operator, Scope


class OperatorFactory(factory.django.DjangoModelFactory[Operator]):
    """A tenant."""

    class Meta:
        model = Operator
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Operator {n}")
    slug = factory.Sequence(lambda n: f"operator-{n}")
    currency = "USD"
    timezone = "Europe/Lisbon"

    @factory.post_generation
    def account(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        """Give it the account of this reference, the platform's own if left out; False: none.

        ``account__secrets="OWN"``: with a key and webhook secrets of its own, by names that begin so.
        """
        if create and extracted is not False:
            add_account(self, reference=extracted or "", **kwargs)


class ActivityFactory(factory.django.DjangoModelFactory[Activity]):
    """An activity with two rates: adult 45.00, child 20.00."""

    class Meta:
        model = Activity
        skip_postgeneration_save = True

    operator: Any = factory.SubFactory(OperatorFactory)
    name = "Kayak tour"
    timezone = "Europe/Lisbon"
    currency = "USD"

    @factory.post_generation
    def rates(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        """Give it the rates named, or the two."""
        for unit, amount in (extracted or {"adult": 4500, "child": 2000}).items():
            Rate.objects.create(activity=self, unit=unit, name=unit.title(), amount=amount)


class SlotFactory(factory.django.DjangoModelFactory[Slot]):
    """A departure tomorrow with five places."""

    class Meta:
        model = Slot

    activity: Any = factory.SubFactory(ActivityFactory)
    starts_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))
    ends_at: Any = factory.LazyAttribute(lambda slot: slot.starts_at + timedelta(hours=2))
    capacity = 5


def add_account(operator: Operator, *, reference: str = "", secrets: str = "", **more: Any) -> ProviderAccount:
    """Give an operator an account that takes new sales, at the first provider unless ``more`` names another."""
    given = {"provider": registry.names()[0], "mode": Mode.TEST} | _secrets(secrets) | more
    credentials.forget()
    return ProviderAccount.objects.create(operator=operator, reference=reference, **given)


def change_secrets(reference: str, *, secrets: str) -> None:
    """Have an account speak by other secrets from now on: those whose names begin so, the platform's if empty."""
    ProviderAccount.objects.filter(reference=reference).update(**_secrets(secrets))


def _secrets(name: str) -> dict[str, str]:
    names = (f"{name}_API_KEY", f"{name}_WEBHOOK_SECRETS") if name else ("", "")
    return dict(zip(("secret_name", "webhook_secrets_name"), names, strict=True))


def make_client(operator: Operator, *, scopes: list[Scope] | None = None) -> tuple[ApiClient, str]:
    """Make an API client of an operator; returns it with its key."""
    return api_keys.issue(operator=operator, name="web", scopes=list(Scope) if scopes is None else scopes)

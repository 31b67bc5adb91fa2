"""Rows for the tests, each as an installation would have it."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from catalogue.models import Activity, Rate, Slot
from tenants import api_keys
from tenants.models import ApiClient, Operator, Scope


class OperatorFactory(factory.django.DjangoModelFactory[Operator]):
    """A tenant."""

    class Meta:
        model = Operator

    name = factory.Sequence(lambda n: f"Operator {n}")
    slug = factory.Sequence(lambda n: f"operator-{n}")
    currency = "USD"
    timezone = "Europe/Lisbon"


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


def make_client(operator: Operator, *, scopes: list[Scope] | None = None) -> tuple[ApiClient, str]:
    """Make an API client of an operator; returns it with its key."""
    return api_keys.issue(operator=operator, name="web", scopes=list(Scope) if scopes is None else scopes)

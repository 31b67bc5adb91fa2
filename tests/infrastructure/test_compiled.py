"""A query that is compiled once answers as its queryset does, for other values too."""

from uuid import UUID

import pytest
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from booking.models import Slot
from common.compiled import Compiled, CompiledBy
from tests import plans
from tests.factories import SlotFactory

pytestmark = pytest.mark.django_db


def found(resource: UUID, zone: str) -> QuerySet[Slot]:
    rows = Slot.objects.select_related("resource__operator").filter(resource=resource, resource__timezone=zone)
    return rows.annotate(left=F("capacity") - F("reserved"), db_now=Now(), name=F("resource__name")).order_by("-id")


def shown(row: Slot) -> dict[str, object]:
    own = {name: value for name, value in vars(row).items() if name not in ("_state", "db_now")}
    return own | {"resource": vars(row.resource)["name"], "operator": row.resource.operator.slug}


class TestCompiled:
    def test_answers_as_the_queryset(self) -> None:
        asked = Compiled(lambda resource, zone: found(resource, zone), resource=UUID, zone=str)
        for capacity in (3, 7):
            slot = SlotFactory.create(capacity=capacity)
            SlotFactory.create(resource=slot.resource, capacity=1)
            values = {"resource": slot.resource_id, "zone": "Europe/Lisbon"}
            with plans.noting() as sent:
                rows = asked.rows(**values)
                resources = [row.resource.operator.slug for row in rows]
            assert len(sent) == 1
            assert len(set(resources)) == 1
            assert [shown(row) for row in rows] == [shown(row) for row in found(slot.resource_id, "Europe/Lisbon")]
            assert asked.rows(**values | {"zone": "UTC"}) == []

    def test_wants_every_value(self) -> None:
        asked = Compiled(lambda pk: Slot.objects.filter(pk=pk), pk=UUID)
        with pytest.raises(KeyError, match="pk"):
            asked.rows()

    def test_by_whatever_is_named(self) -> None:
        one, other = SlotFactory.create(), SlotFactory.create()
        asked = CompiledBy(lambda: Slot.objects.select_related("resource"))
        assert asked.first(pk=one.pk) == one
        assert asked.first(pk=other.pk) == other
        assert asked.first(resource=other.resource_id, pk=other.pk) == other
        assert asked.first(pk=one.pk, resource=other.resource_id) is None

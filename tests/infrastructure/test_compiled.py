"""A query that is compiled once answers as its queryset does, for other values too."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from catalogue.models import Slot
from common.compiled import Compiled, CompiledBy
from tests.support import plans
from tests.support.factories import SlotFactory

pytestmark = pytest.mark.django_db


def found(activity: UUID, zone: str) -> QuerySet[Slot]:
    rows = Slot.objects.select_related("activity__operator").filter(activity=activity, activity__timezone=zone)
    return rows.annotate(left=F("capacity") - F("reserved"), db_now=Now(), name=F("activity__name")).order_by("-id")


def shown(row: Slot) -> dict[str, object]:
    own = {name: value for name, value in vars(row).items() if name not in ("_state", "db_now")}
    return own | {"activity": vars(row.activity)["name"], "operator": row.activity.operator.slug}


class TestCompiled:
    def test_answers_as_the_queryset(self) -> None:
        asked = Compiled(lambda activity, zone: found(activity, zone), activity=UUID, zone=str)
        for capacity in (3, 7):
            slot = SlotFactory.create(capacity=capacity)
            SlotFactory.create(activity=slot.activity, capacity=1)
            values = {"activity": slot.activity_id, "zone": "Europe/Lisbon"}
            with plans.noting() as sent:
                rows = asked.rows(**values)
                activities = [row.activity.operator.slug for row in rows]
            assert len(sent) == 1
            assert len(set(activities)) == 1
            assert [shown(row) for row in rows] == [shown(row) for row in found(slot.activity_id, "Europe/Lisbon")]
            assert asked.rows(**values | {"zone": "UTC"}) == []

    def test_wants_every_value(self) -> None:
        asked = Compiled(lambda pk: Slot.objects.filter(pk=pk), pk=UUID)
        with pytest.raises(KeyError, match="pk"):
            asked.rows()

    def test_refuses_a_parameter_that_is_not_in_the_sql(self) -> None:
        """Else its first value would stand there for ever."""
        asked = Compiled(lambda zone: Slot.objects.filter(activity__timezone=zone.upper()), zone=str)
        with pytest.raises(LookupError, match="zone"):
            asked.rows(zone="Europe/Lisbon")

    @pytest.mark.parametrize(
        "make",
        [
            lambda zone: Slot.objects.filter(Q(activity__timezone=zone) | Q(activity__timezone=zone.upper())),
            lambda zone: Slot.objects.filter(activity__timezone=zone, activity__name__in=[zone[:3]]),
            lambda zone: Slot.objects.filter(activity__timezone=zone).annotate(size=Value(hash(zone))),
            lambda zone: Slot.objects.filter(activity__timezone=zone).order_by(RawSQL(f"'{zone}'", [])),  # noqa: S611  # wrong indeed
            lambda zone: Slot.objects.filter(activity__timezone=zone, created_at__lt=datetime.now(UTC)),
        ],
        ids=["changed", "inside a list", "of another type", "in the text", "of the clock"],
    )
    def test_refuses_what_is_made_of_a_parameter_or_the_clock(self, make: Callable[[str], QuerySet[Slot]]) -> None:
        """Else the first value that was asked for would stand there for ever, beside the parameter itself."""
        asked = Compiled(make, zone=str)
        for zone in ("Europe/Lisbon", "UTC"):
            with pytest.raises(LookupError, match="differs from one time to the next"):
                asked.rows(zone=zone)

    def test_a_wrong_value_spoils_it_for_nobody(self) -> None:
        slot = SlotFactory.create()
        asked = CompiledBy(lambda: Slot.objects.select_related("activity"))
        wrong: list[dict[str, Any]] = [
            {"pk": str(slot.pk)}, {"pk": {"id": 1}}, {"pk": None}, {"activity": [slot.activity_id]},
            {"activity_id": 5}, {"activity__operator": "x"}, {"activity__timezone": slot.pk}, {"starts_at": "now"},
        ]  # fmt: skip
        for where in wrong:
            with pytest.raises(TypeError):
                asked.first(**where)
        assert asked.first(pk=slot.pk) == slot
        assert asked.first(activity=slot.activity_id) == slot
        assert asked.first(activity_id=slot.activity_id) == slot
        assert asked.first(activity__operator=slot.activity.operator_id) == slot
        assert asked.first(activity__timezone="Europe/Lisbon") == slot
        assert asked.first(starts_at=slot.starts_at) == slot

    def test_by_whatever_is_named(self) -> None:
        one, other = SlotFactory.create(), SlotFactory.create()
        asked = CompiledBy(lambda: Slot.objects.select_related("activity"))
        assert asked.first(pk=one.pk) == one
        assert asked.first(pk=other.pk) == other
        assert asked.first(activity=other.activity_id, pk=other.pk) == other
        assert asked.first(pk=one.pk, activity=other.activity_id) is None

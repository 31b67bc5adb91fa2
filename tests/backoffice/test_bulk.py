"""Actions on many rows: at once, or in the background with a page that tells how far."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django_q.models import OrmQ

from adminkit import actions, bulk, bulk_execution
from adminkit.models import BulkRun
from catalogue.models import Slot
from sweeps import registry
from tenants.models import Member, Operator, Role
from tests.support.desk import list_of, page_of, sign_in
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create(timezone="America/Sao_Paulo")


def make_slots(operator: Operator, number: int) -> list[Slot]:
    activity = ActivityFactory.create(operator=operator)
    return [SlotFactory.create(activity=activity) for _ in range(number)]


class TestBulk:
    def choose(self, client: Client, slots: list[Slot], **more: Any) -> Any:
        body = {"action": "close", "_selected_action": [str(slot.pk) for slot in slots], "reason": "storm"}
        return client.post(list_of(Slot), body | more, follow=True)

    def test_a_few_are_done_at_once(self, operator: Operator) -> None:
        slots = make_slots(operator, 3)
        self.choose(sign_in(operator=operator), slots)
        assert Slot.objects.filter(is_closed=True).count() == 3
        assert not BulkRun.objects.exists()

    def test_many_are_done_in_the_background_with_a_page_that_tells_how_far(self, operator: Operator) -> None:
        slots = make_slots(operator, actions.AT_ONCE + 1)
        client = sign_in(operator=operator)
        page = self.choose(client, slots)
        run = BulkRun.objects.get()
        assert page.redirect_chain[-1][0].partition("?")[0] == page_of(run)
        assert "load delay:1s" in page.content.decode()
        assert OrmQ.objects.count() == 1
        assert not Slot.objects.filter(is_closed=True).exists()
        registry.run("carry_on_bulk_runs")
        run.refresh_from_db()
        assert (run.begun, run.done, run.refusals) == (21, 21, [])
        assert Slot.objects.filter(is_closed=True).count() == 21
        told = client.get(page_of(run)).content.decode()
        assert "21 done, 0 refused, of 21: finished." in told
        assert "load delay:1s" not in told

    def test_all_of_a_list_can_be_chosen(self, operator: Operator) -> None:
        slots = make_slots(operator, actions.AT_ONCE + 5)
        self.choose(sign_in(operator=operator), slots[:1], select_across="1")
        assert len(BulkRun.objects.get().rows) == 25

    def test_who_has_lost_their_role_meanwhile_does_nothing(self, operator: Operator) -> None:
        slots = make_slots(operator, actions.AT_ONCE + 1)
        self.choose(sign_in(operator=operator), slots)
        Member.objects.update(role=Role.READ_ONLY)
        bulk.carry_on_due()
        run = BulkRun.objects.get()
        assert (run.done, len(run.refusals)) == (0, 21)
        assert not Slot.objects.filter(is_closed=True).exists()

    def test_one_that_refuses_stops_no_other(self, operator: Operator) -> None:
        slots = make_slots(operator, actions.AT_ONCE + 1)
        self.choose(sign_in(operator=operator), slots)
        Slot.objects.filter(pk=slots[3].pk).delete()
        bulk.carry_on_due()
        run = BulkRun.objects.get()
        assert (run.done, run.refusals) == (20, [f"{slots[3].pk}: there is none."])

    def test_a_worker_that_dies_leaves_one_row_untold_and_does_none_twice(
        self, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slots = make_slots(operator, actions.AT_ONCE + 1)
        self.choose(sign_in(operator=operator), slots)
        run = BulkRun.objects.get()
        seen: list[Any] = []
        do = actions.do

        def dying(page: Any, row: Any, **known: Any) -> actions.Outcome:
            seen.append(row.pk)
            if len(seen) == 5:
                raise KeyboardInterrupt
            return do(page, row, **known)

        monkeypatch.setattr(actions, "do", dying)
        with pytest.raises(KeyboardInterrupt):
            bulk_execution.carry_on(run_id=run.pk)
        assert bulk.carry_on_due() == 0  # its lease is not over
        BulkRun.objects.update(leased_until=Now() - timedelta(seconds=1))
        assert bulk.carry_on_due() == 1
        run.refresh_from_db()
        assert len(seen) == len(set(seen)) == 21
        assert run.done == 20
        assert run.refusals == [f"{run.rows[4]}: it was interrupted, and may be done or not: look at it."]

    def test_is_shown_to_whose_it_is(self, operator: Operator) -> None:
        self.choose(sign_in(operator=operator), make_slots(operator, actions.AT_ONCE + 1))
        run = BulkRun.objects.get()
        stranger = sign_in(operator=OperatorFactory.create())
        assert not stranger.get(list_of(BulkRun)).context["cl"].result_list
        assert stranger.get(page_of(run)).status_code == 302

    def test_too_many_are_refused(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "MOST", 2)
        page = self.choose(sign_in(operator=operator), make_slots(operator, 3))
        assert "Choose at most 2" in page.content.decode()
        assert not Slot.objects.filter(is_closed=True).exists()

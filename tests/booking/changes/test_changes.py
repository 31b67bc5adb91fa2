"""Changes of a reservation: held beside the old places, done at once with their difference, lapsing without a trace."""

from datetime import timedelta
from typing import Any

import pytest

from booking.models import Adjustment, Change, Occupancy, Reservation
from catalogue.models import Slot
from notifications.models import Mail
from payments.models import Payment
from sweeps import registry
from tests.support import promises
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.changing import CARD, change, places, price, settled
from tests.support.factories import ActivityFactory, SlotFactory
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import sell, standing

pytestmark = pytest.mark.django_db(transaction=True)


class TestAnotherDate:
    def test_is_done_when_its_difference_is_held(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        told = frontend.get(f"reservations/{made['reservation']['id']}/change", slot_id=str(there.pk)).json()
        assert told == {"difference": 3000, "due": 3000, "currency": "USD"}
        asked = change(frontend, made, slot_id=str(there.pk), expected_difference=3000).json()["reservation"]
        assert (asked["change"]["amount_due"], asked["slot_id"]) == (3000, str(here.pk))
        assert (places(here, there), standing(frontend, made)) == ([1, 1], ("paid", 4500, 4500, 0))
        settled()
        paid = {"provider": "stripe", "payment_method_id": "pm_card_visa", "change_id": asked["change"]["id"]}
        answer = frontend.post(f"reservations/{asked['id']}/payments", paid)
        assert answer.status_code == 201
        shown = answer.json()["reservation"]
        assert (shown["slot_id"], shown["change"], shown["amount"]) == (str(there.pk), None, 7500)
        assert (places(here, there), standing(frontend, made)) == ([0, 1], ("confirmed", 7500, 4500, 3000))
        settled()
        work(sandbox)
        assert standing(frontend, made) == ("paid", 7500, 7500, 0)
        assert Adjustment.objects.get().amount == 3000
        settled()

    def test_by_one_request(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        first = change(frontend, made, slot_id=str(there.pk), payment=CARD, key="once")
        again = change(frontend, made, slot_id=str(there.pk), payment=CARD, key="once")
        assert (first.status_code, first.content) == (201, again.content)
        work(sandbox)
        assert (places(here, there), standing(frontend, made)) == ([0, 1], ("paid", 7500, 7500, 0))
        assert Payment.objects.count() == 2
        registry.run("send_mails")
        assert Mail.objects.filter(kind="moved").count() == 1
        settled()

    def test_declined_changes_nothing(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        card = {**CARD, "payment_method_id": "pm_card_chargeDeclined"}
        refused = change(frontend, made, slot_id=str(there.pk), payment=card)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "card_declined")
        assert (places(here, there), standing(frontend, made)) == ([1, 0], ("paid", 4500, 4500, 0))
        assert Change.objects.get().status == "failed"
        work(sandbox)
        settled()

    def test_declined_may_be_paid_by_another_card(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        card = {**CARD, "payment_method_id": "pm_card_chargeDeclined"}
        change(frontend, made, slot_id=str(there.pk), payment=card, on_decline="keep")
        asked = Change.objects.get()
        assert (asked.status, places(here, there)) == ("open", [1, 1])
        paid = frontend.post(f"reservations/{made['reservation']['id']}/payments", {**CARD, "change_id": str(asked.pk)})
        assert paid.status_code == 201
        work(sandbox)
        assert (places(here, there), standing(frontend, made)) == ([0, 1], ("paid", 7500, 7500, 0))
        settled()

    def test_cheaper_gives_the_difference_back(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        price(here, 3000)
        assert change(frontend, made, slot_id=str(there.pk)).status_code == 201
        assert places(here, there) == [0, 1]
        work(sandbox)
        assert standing(frontend, made) == ("paid", 3000, 3000, 0)
        settled()

    def test_another_difference_than_was_told_is_refused(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot
    ) -> None:
        refused = change(frontend, made, slot_id=str(there.pk), expected_difference=0)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "quote_changed")
        assert places(here, there) == [1, 0]

    def test_that_is_full_is_refused(self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot) -> None:
        Slot.objects.filter(pk=there.pk).update(capacity=1)
        frontend.reserve(there)
        assert change(frontend, made, slot_id=str(there.pk)).json()["error"]["code"] == "slot_sold_out"
        run_out(Reservation.objects.latest("id").pk)
        assert change(frontend, made, slot_id=str(there.pk)).status_code == 201
        assert places(here, there) == [1, 1]

    def test_of_terms_is_no_better(self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot) -> None:
        price(here, 4500)
        change(frontend, made, slot_id=str(there.pk))
        row = Reservation.objects.get()
        assert (row.slot_id, row.starts_at, row.terms_stage) == (there.pk, there.starts_at, 0)

    def test_and_back_again_at_its_price(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        change(frontend, made, slot_id=str(there.pk), payment=CARD)
        work(sandbox)
        price(here, 4500)
        assert change(frontend, made, slot_id=str(here.pk)).status_code == 201
        work(sandbox)
        assert (places(here, there), standing(frontend, made)) == ([1, 0], ("paid", 4500, 4500, 0))
        settled()


class TestMorePeople:
    def test_are_added_when_they_are_paid(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, sandbox: Sandbox
    ) -> None:
        Slot.objects.filter(pk=here.pk).update(capacity=2)
        more = [{"unit": "adult", "quantity": 1}]
        assert change(frontend, made, units=more, payment=CARD).status_code == 201
        work(sandbox)
        assert (places(here), standing(frontend, made)) == ([2], ("paid", 12000, 12000, 0))
        shown = frontend.get(f"reservations/{made['reservation']['id']}").json()["reservation"]
        assert (shown["places"], [line["amount"] for line in shown["units"]]) == (2, [4500, 7500])
        settled()

    def test_come_along_to_another_date_and_one_stays_away(
        self, frontend: Frontend, made: dict[str, Any], here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        change(frontend, made, slot_id=str(there.pk), units=[{"unit": "child", "quantity": 1}], payment=CARD)
        work(sandbox)
        assert (places(here, there), standing(frontend, made)) == ([0, 2], ("paid", 9500, 9500, 0))
        path = f"reservations/{made['reservation']['id']}/cancel"
        fewer = {"units": [{"unit": "adult", "quantity": 1}], "expected_refund": 7500}
        assert frontend.post(path, fewer).status_code == 200
        work(sandbox)
        assert (places(here, there), standing(frontend, made)) == ([0, 1], ("paid", 2000, 2000, 0))
        settled()

    def test_later_due_are_added_at_once(self, frontend: Frontend, here: Slot) -> None:
        Slot.objects.filter(pk=here.pk).update(capacity=2)
        made = frontend.on_arrival(here).json()
        assert change(frontend, made, units=[{"unit": "adult", "quantity": 1}]).status_code == 201
        assert (places(here), standing(frontend, made)) == ([2], ("confirmed", 9000, 0, 9000))
        settled()

    def test_on_account_are_put_on_the_account(self, frontend: Frontend, here: Slot) -> None:
        Slot.objects.filter(pk=here.pk).update(capacity=2)
        made = frontend.on_arrival(here, pay_by="account").json()
        assert change(frontend, made, units=[{"unit": "adult", "quantity": 1}]).status_code == 201
        row = Reservation.objects.get()
        assert (row.places, row.amount_owed, row.amount_collected, row.balance) == (2, 9000, 9000, 0)
        settled()


class TestExclusive:
    def test_has_both_times_until_it_is_done(self, sandbox: Sandbox) -> None:
        activity = ActivityFactory.create(exclusive=True)
        here = SlotFactory.create(activity=activity)
        there = SlotFactory.create(activity=activity, starts_at=here.starts_at + timedelta(days=1))
        frontend = Frontend.of(here)
        made = sell(frontend, here, sandbox)
        price(here, 7500)
        assert change(frontend, made, slot_id=str(there.pk)).status_code == 201
        promises.hold()
        assert frontend.reserve(there).json()["error"]["code"] == "slot_sold_out"
        assert frontend.reserve(here).json()["error"]["code"] == "slot_sold_out"
        assert Occupancy.objects.count() == 1
        asked = Change.objects.get()
        frontend.post(f"reservations/{made['reservation']['id']}/payments", {**CARD, "change_id": str(asked.pk)})
        assert frontend.reserve(here).status_code == 201
        assert frontend.reserve(there).json()["error"]["code"] == "slot_sold_out"
        work(sandbox)
        settled()


class TestRefused:
    def test_of_a_hold(self, frontend: Frontend, here: Slot, there: Slot) -> None:
        hold = frontend.reserve(here).json()
        assert change(frontend, hold, slot_id=str(there.pk)).json()["error"]["code"] == "invalid_state"

    def test_of_nothing(self, frontend: Frontend, made: dict[str, Any], here: Slot) -> None:
        assert change(frontend, made).json()["error"]["code"] == "same_slot"
        assert change(frontend, made, units=[{"unit": "dog", "quantity": 1}]).status_code == 422

    def test_of_another_operator(self, made: dict[str, Any], there: Slot) -> None:
        other = Frontend.of(SlotFactory.create())
        assert change(other, made, slot_id=str(there.pk)).status_code == 404

    def test_to_another_activity(self, frontend: Frontend, made: dict[str, Any], here: Slot) -> None:
        other = SlotFactory.create(activity=ActivityFactory.create(operator=here.activity.operator))
        assert change(frontend, made, slot_id=str(other.pk)).status_code == 404

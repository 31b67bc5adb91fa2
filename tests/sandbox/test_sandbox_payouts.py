"""Payouts, made by the control: their shape, what is in them, and a clock that is set forward."""

import time

from tests.sandbox.shapes import FIXTURES, missing_from
from tests.support.sandbox_process import Client, Control, charge, types_of


class TestPayout:
    def test_takes_all_that_waits_and_has_stripes_fields(self, client: Client, control: Control) -> None:
        charge(client)
        charge(client)
        made = control.post("payouts")
        assert missing_from(FIXTURES["payout"], made, "payout") == []
        lines = client.v1.balance_transactions.list({"payout": made["id"]}).data
        assert sorted(line.type for line in lines) == ["charge", "charge", "payout"]
        assert sum(line.net for line in lines if line.type == "charge") == made["amount"] == 2 * (1000 - 59)
        assert types_of(control)[-3:] == ["payout.created", "payout.paid", "payout.reconciliation_completed"]

    def test_is_read_and_listed(self, client: Client, control: Control) -> None:
        charge(client)
        made = control.post("payouts")
        assert client.v1.payouts.retrieve(made["id"]).amount == made["amount"]
        listed = client.v1.payouts.list({"created": {"gte": made["created"]}, "status": "paid"}).data
        assert [payout.id for payout in listed] == [made["id"]]
        assert client.v1.payouts.list({"arrival_date": {"gt": made["arrival_date"]}}).data == []

    def test_is_of_what_no_other_has_taken(self, client: Client, control: Control) -> None:
        charge(client)
        control.post("payouts")
        assert control.send("POST", "payouts")[0] == 400
        charge(client)
        assert control.post("payouts")["amount"] == 1000 - 59


class TestClock:
    def test_is_set_forward_until_the_reset(self, client: Client, control: Control) -> None:
        control.post("clock", {"advance_seconds": 3600})
        assert charge(client).created > time.time() + 3500
        control.post("reset")
        assert abs(charge(client).created - time.time()) < 60

    def test_is_never_set_back(self, control: Control) -> None:
        for wrong in ({"advance_seconds": -1}, {"advance_seconds": "1"}, {}):
            assert control.send("POST", "clock", wrong)[0] == 400


class TestFaults:
    def test_are_cleared(self, client: Client, control: Control) -> None:
        control.post("faults", {"match": "POST /v1/payment_intents", "effect": "error_before", "times": None})
        assert control.send("DELETE", "faults")[0] == 200
        assert charge(client).status == "succeeded"

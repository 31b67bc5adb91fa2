"""Disputes, opened and closed by the control: their shape, their events, and what they do to the balance."""

from tests.sandbox.shapes import FIXTURES, missing_from
from tests.support.sandbox_process import Client, Control, charge, hold, types_of


class TestDispute:
    def test_takes_the_money_and_has_stripes_fields(self, client: Client, control: Control) -> None:
        intent = charge(client)
        dispute = control.post(f"payment_intents/{intent.id}/dispute")
        assert missing_from(FIXTURES["dispute"], dispute, "dispute") == []
        assert (dispute["amount"], dispute["status"], dispute["payment_intent"]) == (1000, "needs_response", intent.id)
        assert types_of(control)[-3:] == [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.updated",
        ]
        (row,) = client.v1.balance_transactions.list({"type": "dispute"}).data
        assert (row.amount, row.fee, row.net) == (-1000, 1500, -2500)

    def test_that_is_won_brings_it_back(self, client: Client, control: Control) -> None:
        dispute = control.post(f"payment_intents/{charge(client).id}/dispute")
        assert control.post(f"disputes/{dispute['id']}/close", {"result": "won"})["status"] == "won"
        assert types_of(control)[-2:] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
        assert control.send("POST", f"disputes/{dispute['id']}/close", {"result": "lost"})[0] == 400

    def test_is_refused_where_no_money_was_taken(self, client: Client, control: Control) -> None:
        assert control.send("POST", f"payment_intents/{hold(client).id}/dispute")[0] == 400
        assert control.send("POST", "disputes/dp_none/close", {"result": "maybe"})[0] == 400

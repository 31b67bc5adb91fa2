"""Refunds, charges and the balance through the official client."""

import pytest
import stripe

from tests.support.sandbox_process import Client, Control, charge, hold, raised


class TestRefund:
    def test_gives_all_back(self, client: Client, control: Control) -> None:
        intent = charge(client)
        refund = client.v1.refunds.create({"payment_intent": intent.id, "reason": "requested_by_customer"})
        assert (refund.status, refund.amount, refund.charge) == ("succeeded", 1000, intent.latest_charge)
        refunded = client.v1.charges.retrieve(str(intent.latest_charge))
        assert (refunded.refunded, refunded.amount_refunded) == (True, 1000)
        state = control.state()
        assert state["payment_intents"][0]["amount_refunded"] == 1000
        assert [event["type"] for event in state["events"]][-2:] == ["refund.created", "charge.refunded"]

    def test_gives_back_in_parts_until_nothing_is_left(self, client: Client) -> None:
        charged = str(charge(client).latest_charge)
        first = client.v1.refunds.create({"charge": charged, "amount": 300, "metadata": {"why": "rain"}})
        client.v1.refunds.create({"charge": charged, "amount": 300})
        with pytest.raises(stripe.InvalidRequestError, match=r"€4\.01.* greater than unrefunded amount .*€4\.00"):
            client.v1.refunds.create({"charge": charged, "amount": 401})
        client.v1.refunds.create({"charge": charged})
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create({"charge": charged, "amount": 1})
        assert refused.value.code == "charge_already_refunded"
        assert client.v1.refunds.retrieve(first.id).metadata.to_dict() == {"why": "rain"}
        assert [refund.amount for refund in client.v1.refunds.list({"charge": charged}).data] == [400, 300, 300]

    def test_gives_back_no_more_than_was_captured(self, client: Client) -> None:
        intent = client.v1.payment_intents.capture(hold(client).id, {"amount_to_capture": 400})
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.refunds.create({"payment_intent": intent.id, "amount": 401})
        assert client.v1.refunds.create({"payment_intent": intent.id}).amount == 400

    def test_refuses_what_was_not_captured(self, client: Client) -> None:
        waiting = client.v1.payment_intents.create({"amount": 1000, "currency": "eur"})
        for intent in (hold(client), waiting, client.v1.payment_intents.cancel(hold(client).id)):
            with pytest.raises(stripe.InvalidRequestError):
                client.v1.refunds.create({"payment_intent": intent.id})

    @pytest.mark.parametrize("amount", [0, -100])
    def test_refuses_amounts_that_are_none(self, client: Client, amount: int) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create({"payment_intent": charge(client).id, "amount": amount})
        assert refused.value.code == "parameter_invalid_integer"

    def test_changes_metadata(self, client: Client) -> None:
        refund = client.v1.refunds.create({"payment_intent": charge(client).id})
        assert client.v1.refunds.update(refund.id, {"metadata": {"a": "b"}}).metadata.to_dict() == {"a": "b"}


class TestFailure:
    def test_puts_the_money_back(self, client: Client, control: Control) -> None:
        intent = charge(client)
        refund = client.v1.refunds.create({"payment_intent": intent.id})
        control.post(f"refunds/{refund.id}/fail")
        failed = client.v1.refunds.retrieve(refund.id)
        assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
        assert client.v1.charges.retrieve(str(intent.latest_charge)).amount_refunded == 0
        state = control.state()
        assert state["payment_intents"][0]["amount_refunded"] == 0
        types = [event["type"] for event in state["events"]]
        assert types[-3:] == ["refund.failed", "refund.updated", "charge.refund.updated"]
        assert client.v1.refunds.create({"payment_intent": intent.id}).amount == 1000

    def test_cannot_happen_to_a_released_hold(self, client: Client, control: Control) -> None:
        intent = client.v1.payment_intents.cancel(hold(client).id)
        release = client.v1.refunds.list({"payment_intent": intent.id}).data[0]
        assert control.send("POST", f"refunds/{release.id}/fail")[0] == 400


class TestBalance:
    def test_adds_up(self, client: Client, control: Control) -> None:
        intent = charge(client, amount=10_000)
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 2500})
        failing = client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
        control.post(f"refunds/{failing.id}/fail")
        rows = client.v1.balance_transactions.list().data
        assert [(row.type, row.amount, row.fee, row.net) for row in rows] == [
            ("refund_failure", 500, 0, 500),
            ("refund", -500, 0, -500),
            ("refund", -2500, 0, -2500),
            ("charge", 10_000, 320, 9680),
        ]
        assert client.v1.balance_transactions.list({"type": "charge"}).data[0].source == intent.latest_charge
        assert client.v1.balance_transactions.retrieve(rows[0].id).source == failing.id


class TestCharges:
    def test_are_listed_by_payment(self, client: Client) -> None:
        with pytest.raises(stripe.CardError) as declined:
            hold(client, payment_method="pm_card_chargeDeclined")
        intent_id = raised(declined).error.payment_intent.id
        client.v1.payment_intents.confirm(intent_id, {"payment_method": "pm_card_visa"})
        charge(client)
        listed = client.v1.charges.list({"payment_intent": intent_id}).data
        assert [row.status for row in listed] == ["succeeded", "failed"]

    def test_carry_the_metadata_of_their_time(self, client: Client) -> None:
        intent = hold(client, metadata={"a": "1"})
        client.v1.payment_intents.update(intent.id, {"metadata": {"a": "2"}})
        assert client.v1.charges.retrieve(str(intent.latest_charge)).metadata.to_dict() == {"a": "1"}

    def test_are_read_as_they_are(self, client: Client) -> None:
        charged = str(charge(client).latest_charge)
        expanded = client.v1.charges.retrieve(charged, {"expand": ["payment_intent", "balance_transaction"]})
        assert expanded.payment_intent.latest_charge == charged
        assert expanded.balance_transaction.source == charged
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.charges.retrieve(charged, {"colour": "blue"})
        assert refused.value.code == "parameter_unknown"


class TestPaymentMethods:
    @pytest.mark.parametrize(("name", "brand"), [("visa", "visa"), ("mastercard", "mastercard"), ("amex", "amex")])
    def test_are_made_from_test_names(self, client: Client, name: str, brand: str) -> None:
        intent = hold(client, payment_method=f"pm_card_{name}")
        method = client.v1.payment_methods.retrieve(str(intent.payment_method))
        assert (method.id, method.card.brand if method.card else None) == (intent.payment_method, brand)

    def test_are_not_made_up(self, client: Client) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_methods.retrieve("pm_nobody")
        assert refused.value.http_status == 404

"""Payment intents through the official client: made, paid, declined, authenticated."""

from typing import Any

import pytest
import stripe

from tests.support.sandbox_process import Client, Control, charge, client_of, hold, hold_params, raised, types_of


class TestCreate:
    def test_waits_for_a_payment_method(self, client: Client, control: Control) -> None:
        intent = client.v1.payment_intents.create({"amount": 1000, "currency": "EUR", "metadata": {"order": "7"}})
        assert (intent.status, intent.currency, intent.amount) == ("requires_payment_method", "eur", 1000)
        assert intent.metadata.to_dict() == {"order": "7"}
        assert intent.client_secret.startswith(f"{intent.id}_secret_")
        assert intent.capture_method == "automatic_async"
        assert types_of(control) == ["payment_intent.created"]

    def test_waits_for_confirmation_when_it_has_a_payment_method(self, client: Client) -> None:
        intent = client.v1.payment_intents.create(hold_params(confirm=False))
        assert intent.status == "requires_confirmation"
        assert client.v1.payment_intents.confirm(intent.id).status == "requires_capture"

    def test_takes_the_money_at_once(self, client: Client, control: Control) -> None:
        intent = charge(client, expand=["latest_charge.balance_transaction"])
        assert (intent.status, intent.amount_received, intent.amount_capturable) == ("succeeded", 1000, 0)
        assert intent.latest_charge.captured is True
        assert intent.latest_charge.balance_transaction.net == 1000 - 59
        assert types_of(control) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]

    def test_holds_the_money_for_seven_days(self, client: Client, control: Control) -> None:
        intent = hold(client, expand=["latest_charge"])
        assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 1000, 0)
        held = intent.latest_charge
        assert (held.paid, held.captured, held.balance_transaction) == (True, False, None)
        assert held.payment_method_details.card.capture_before == held.created + 7 * 24 * 3600
        assert types_of(control)[1:] == ["charge.succeeded", "payment_intent.amount_capturable_updated"]

    def test_holds_when_only_the_card_is_to_be_captured_by_hand(self, client: Client) -> None:
        options = {"card": {"capture_method": "manual"}}
        assert charge(client, payment_method_options=options).status == "requires_capture"

    @pytest.mark.parametrize(
        ("wrong", "code", "param"),
        [
            ({"amount": 49}, "amount_too_small", "amount"),
            ({"amount": 100_000_000}, "amount_too_large", "amount"),
            ({"amount": 0}, "parameter_invalid_integer", "amount"),
            ({"amount": "ten"}, "parameter_invalid_integer", "amount"),
            ({"amount": 1005, "currency": "kwd"}, "parameter_invalid_integer", "amount"),
            ({"amount": 1050, "currency": "isk"}, "parameter_invalid_integer", "amount"),
            ({"currency": "xyz"}, None, "currency"),
            ({"currency": ""}, "parameter_invalid_empty", "currency"),
            ({"capture_method": "later"}, None, "capture_method"),
            ({"payment_method": "pm_card_nobody"}, "resource_missing", "payment_method"),
            ({"colour": "blue"}, "parameter_unknown", "colour"),
            ({"payment_method_types": ["pigeon"]}, "payment_intent_invalid_parameter", "payment_method_types"),
            ({"automatic_payment_methods": {"enabled": True}}, None, None),
            ({"statement_descriptor": "TOURS"}, None, "statement_descriptor"),
            ({"confirm": False, "off_session": True}, None, "off_session"),
            ({"metadata": {"k" * 41: "v"}}, None, "metadata"),
            ({"expand": ["colour"]}, None, "expand"),
        ],
    )
    def test_refuses_wrong_parameters(
        self, client: Client, control: Control, wrong: dict[str, Any], code: str | None, param: str | None
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.create(hold_params(**{"confirm": False, **wrong}))
        assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)
        assert wrong.get("expand") or control.state()["payment_intents"] == []

    @pytest.mark.parametrize("missing", ["amount", "currency"])
    def test_refuses_missing_parameters(self, client: Client, missing: str) -> None:
        params = {name: value for name, value in hold_params().items() if name != missing}
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.create(params)
        assert (refused.value.code, refused.value.param) == ("parameter_missing", missing)

    @pytest.mark.parametrize(("amount", "currency"), [(50, "jpy"), (1000, "kwd"), (1100, "isk"), (50, "usd")])
    def test_takes_what_the_currency_allows(self, client: Client, amount: int, currency: str) -> None:
        assert charge(client, amount=amount, currency=currency).amount_received == amount

    def test_wants_a_return_url_when_the_customer_might_be_redirected(self, client: Client) -> None:
        params = hold_params()
        del params["payment_method_types"]
        with pytest.raises(stripe.InvalidRequestError, match="you must provide a `return_url`"):
            client.v1.payment_intents.create(params)
        never = {"enabled": True, "allow_redirects": "never"}
        assert client.v1.payment_intents.create(params | {"return_url": "https://example.com"}).status
        assert client.v1.payment_intents.create(params | {"automatic_payment_methods": never}).status


class TestDeclines:
    @pytest.mark.parametrize(
        ("name", "code", "decline_code"),
        [
            ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
            ("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
            ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
            ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ],
    )
    def test_says_why(self, client: Client, name: str, code: str, decline_code: str) -> None:
        with pytest.raises(stripe.CardError) as declined:
            hold(client, payment_method=name)
        error = raised(declined).error
        assert (declined.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
        assert error.payment_intent.status == "requires_payment_method"
        assert error.charge == error.payment_intent.latest_charge

    def test_leaves_an_intent_that_can_be_paid_with_another_card(self, client: Client, control: Control) -> None:
        with pytest.raises(stripe.CardError) as declined:
            hold(client, payment_method="pm_card_chargeDeclinedInsufficientFunds")
        intent = client.v1.payment_intents.retrieve(raised(declined).error.payment_intent.id)
        assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
        assert intent.last_payment_error.decline_code == "insufficient_funds"
        failed = client.v1.charges.retrieve(str(intent.latest_charge))
        assert (failed.status, failed.paid, failed.failure_code) == ("failed", False, "card_declined")
        assert types_of(control)[1:] == ["charge.failed", "payment_intent.payment_failed"]
        paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
        assert (paid.status, paid.last_payment_error) == ("requires_capture", None)
        assert paid.latest_charge != failed.id


class TestAuthentication:
    @pytest.mark.parametrize("name", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"])
    def test_is_waited_for(self, client: Client, control: Control, name: str) -> None:
        intent = hold(client, payment_method=name, return_url="https://example.com/back")
        assert (intent.status, intent.latest_charge) == ("requires_action", None)
        assert intent.next_action.redirect_to_url.return_url == "https://example.com/back"
        assert types_of(control)[1:] == ["payment_intent.requires_action"]

    def test_leads_to_the_hold_when_passed(self, client: Client, control: Control) -> None:
        intent = hold(client, payment_method="pm_card_authenticationRequired")
        assert intent.next_action.type == "use_stripe_sdk"
        control.post(f"payment_intents/{intent.id}/authenticate", {"result": "success"})
        held = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
        assert (held.status, held.next_action) == ("requires_capture", None)
        assert held.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"

    def test_leads_back_when_failed(self, client: Client, control: Control) -> None:
        intent = hold(client, payment_method="pm_card_authenticationRequired")
        control.post(f"payment_intents/{intent.id}/authenticate", {"result": "failure"})
        failed = client.v1.payment_intents.retrieve(intent.id)
        assert (failed.status, failed.payment_method) == ("requires_payment_method", None)
        assert failed.last_payment_error.code == "payment_intent_authentication_failure"
        assert types_of(control)[-1] == "payment_intent.payment_failed"

    def test_may_be_followed_by_a_decline(self, client: Client, control: Control) -> None:
        name = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
        intent = hold(client, payment_method=name)
        control.post(f"payment_intents/{intent.id}/authenticate", {"result": "success"})
        assert client.v1.payment_intents.retrieve(intent.id).last_payment_error.decline_code == "insufficient_funds"

    @pytest.mark.parametrize("option", ["off_session", "error_on_requires_action"])
    def test_is_a_decline_when_nobody_can_be_asked(self, client: Client, option: str) -> None:
        with pytest.raises(stripe.CardError) as declined:
            hold(client, payment_method="pm_card_authenticationRequired", **{option: True})
        assert declined.value.code == "authentication_required"

    def test_is_refused_where_none_is_awaited(self, client: Client, control: Control) -> None:
        path = f"payment_intents/{hold(client).id}/authenticate"
        assert control.send("POST", path, {"result": "success"})[0] == 400
        assert control.send("POST", path, {"result": "maybe"})[0] == 400


class TestCustomersBrowser:
    def test_pays_with_the_client_secret_alone(self, client: Client) -> None:
        intent = client.v1.payment_intents.create({"amount": 1000, "currency": "eur", "capture_method": "manual"})
        browser = client_of(str(client._requestor.base_addresses["api"]), key="pk_test_browser")
        secret = intent.client_secret
        params: Any = {"client_secret": secret, "payment_method": "pm_card_visa", "return_url": "https://example.com"}
        confirmed = browser.v1.payment_intents.confirm(intent.id, params)
        assert confirmed.status == "requires_capture"
        assert "metadata" not in confirmed
        assert browser.v1.payment_intents.retrieve(intent.id, {"client_secret": secret}).amount == 1000

    def test_is_refused_without_the_right_secret(self, client: Client) -> None:
        intent = client.v1.payment_intents.create(hold_params(confirm=False))
        browser = client_of(str(client._requestor.base_addresses["api"]), key="pk_test_browser")
        for params in ({}, {"client_secret": f"{intent.id}_secret_guess"}):
            with pytest.raises(stripe.InvalidRequestError):
                browser.v1.payment_intents.confirm(intent.id, params)
        with pytest.raises(stripe.PermissionError):
            browser.v1.payment_intents.cancel(intent.id)
        assert client.v1.payment_intents.retrieve(intent.id).status == "requires_confirmation"

    def test_can_be_played_by_the_control(self, client: Client, control: Control) -> None:
        intent = client.v1.payment_intents.create({"amount": 1000, "currency": "eur"})
        control.post(f"payment_intents/{intent.id}/pay", {"payment_method": "pm_card_visa"})
        assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
        event = client.v1.events.list({"type": "payment_intent.succeeded"}).data[0]
        assert event.request is not None
        assert event.request.id is None

"""A refusal is not the last word: the provider's object is, and what its key does not see is no answer."""

from typing import Any

import pytest
import requests

from booking import execution
from booking.models import Reservation
from payments.models import Command, Payment, ProviderThrottle, Refund
from payments.outcome_types import Failure
from payments.providers.errors import RefusedError
from payments.providers.stripe.adapter import StripeProvider
from tests.support import paying, promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.checking import check
from tests.support.environment import VALUES
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = "POST /v1/payment_intents"
ANY_CALL = ("* /v1/payment_intents/*", "* /v1/payment_intents/*/capture", "* /v1/payment_intents/*/cancel")


def at_the_dashboard(sandbox: Sandbox, path: str, **data: Any) -> None:
    """Do something at the provider that we did not ask for."""
    url = f"{sandbox.url}/v1/{path}"
    requests.post(url, data=data, auth=(VALUES["STRIPE_API_KEY"], ""), timeout=10).raise_for_status()


def hold() -> tuple[Frontend, dict[str, Any]]:
    """Reserve a place; returns the frontend and what it was answered."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot)
    assert made.status_code == 201
    return frontend, made.json()


def settle(sandbox: Sandbox, rounds: int = 2) -> None:
    """Do what time does."""
    for _ in range(rounds):
        end_leases()
        paying.work(sandbox)


class TestNoAnswer:
    @pytest.mark.parametrize("effect", ["not_found", "wrong_key"])
    def test_a_sale_outlives_a_wrong_key(self, sandbox: Sandbox, effect: str) -> None:
        frontend, made = hold()
        for match in ANY_CALL:
            sandbox.fault(match, effect, times=None)
        answer = frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (200, "confirmed")
        for _ in range(5):
            end_leases()
            execution.execute_due()
        end_leases()
        assert [result.result for result in check()] == ["failed"]
        payment = Payment.objects.get()
        assert payment.stuck_because.startswith("capture: no answer in 5 attempts")
        assert (payment.status, Reservation.objects.get().status) == ("processing", "confirmed")
        assert Reservation.objects.get().slot.reserved == 1  # type: ignore[union-attr]  # it has one
        sandbox.clear_faults()
        end_leases()
        execution.execute_due()
        check()
        stripe_events.deliver_all(sandbox)
        assert (Reservation.objects.get().status, Payment.objects.get().stuck_at) == ("paid", None)
        promises.hold(at_provider=True)

    def test_a_payment_that_is_not_seen_does_not_pause_its_account(self, sandbox: Sandbox) -> None:
        frontend, made = hold()
        for match in ANY_CALL:
            sandbox.fault(match, "not_found", times=None)
        frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        for _ in range(4):
            end_leases()
            execution.execute_due()
        assert not ProviderThrottle.objects.filter(failures__gt=0).exists()

    @pytest.mark.parametrize("effect", ["not_found", "wrong_key"])
    def test_a_release_is_not_forgotten(self, sandbox: Sandbox, effect: str) -> None:
        frontend, made = hold()
        for match in ANY_CALL:
            sandbox.fault(match, effect, times=2)
        assert frontend.post(f"reservations/{made['reservation']['id']}/cancel").status_code == 200
        settle(sandbox, 4)
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        promises.hold(at_provider=True)

    def test_a_begun_payment_is_not_lost_by_a_refusal_of_another_account(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The answer is lost; then the key is of an account that knows neither the payment nor the card."""
        slot = SlotFactory.create()
        sandbox.fault(CREATE, "drop_answer")
        assert Frontend.of(slot).reserve(slot).status_code == 202
        with monkeypatch.context() as other:
            other.setattr(StripeProvider, "authorize", _refuse(code="resource_missing", field="payment_method"))
            other.setattr(StripeProvider, "find", lambda self, **given: None)
            end_leases()
            execution.execute_due()
        assert Command.objects.get().status == "unknown"
        settle(sandbox)
        assert Reservation.objects.get().status == "pending"
        assert len(sandbox.payment_intents()) == 1

    def test_a_question_that_is_refused_is_no_answer(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        frontend, made = hold()
        with monkeypatch.context() as refusing:
            for name in ("capture", "fetch"):
                refusing.setattr(StripeProvider, name, _refuse(code="payment_intent_unexpected_state"))
            frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert (Command.objects.get(kind="capture").status, Reservation.objects.get().status) == (
            "unknown",
            "confirmed",
        )
        settle(sandbox)
        assert Reservation.objects.get().status == "paid"


class TestConfirm:
    @pytest.mark.parametrize(
        ("there", "method", "status"),
        [
            ("paid", "automatic", "succeeded"),
            ("paid", "manual", "on_hold"),
            ("canceled", "manual", "canceled"),
        ],
    )
    def test_the_object_decides(self, sandbox: Sandbox, there: str, method: str, status: str) -> None:
        frontend = Frontend.of(SlotFactory.create())
        made = paying.create(frontend, capture_method=method).json()
        if there == "paid":
            sandbox.pay(made["provider_ref"])
        else:
            at_the_dashboard(sandbox, f"payment_intents/{made['provider_ref']}/cancel")
        assert frontend.patch(f"payment_intents/{made['id']}/confirm").status_code == 202
        settle(sandbox)
        payment = Payment.objects.get()
        assert (payment.status, payment.failure_code, payment.amount_refunding) == (status, "", 0)
        assert not Refund.objects.exists()

    def test_a_saved_decline_is_older_than_the_money(self, sandbox: Sandbox) -> None:
        """Declined with the answer lost; the customer pays in the browser; the retry brings the decline."""
        frontend = Frontend.of(SlotFactory.create())
        made = paying.create(frontend, payment_method_id="pm_card_chargeDeclined").json()
        sandbox.fault("POST /v1/payment_intents/*/confirm", "drop_answer")
        frontend.patch(f"payment_intents/{made['id']}/confirm")
        execution.execute_due()
        sandbox.pay(made["provider_ref"])
        end_leases()
        execution.execute_due()
        stripe_events.deliver_all(sandbox)
        assert Payment.objects.get().status == "succeeded"
        assert not Refund.objects.exists()


class TestCapture:
    @pytest.mark.parametrize("how", ["expired", "canceled"])
    def test_of_a_hold_that_was_let_go(self, sandbox: Sandbox, how: str) -> None:
        frontend, made = hold()
        ref, address = made["payment"]["provider_ref"], f"reservations/{made['reservation']['id']}"
        if how == "expired":
            sandbox.expire(ref)
        else:
            at_the_dashboard(sandbox, f"payment_intents/{ref}/cancel")
        for _ in range(2):  # asked for again, it is told the same
            answer = frontend.post(f"{address}/confirm")
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "hold_expired")
        assert frontend.get(address).json()["reservation"]["status"] == "failed"
        assert Reservation.objects.get().slot.reserved == 0  # type: ignore[union-attr]  # it has one
        assert Payment.objects.get().status == "canceled"
        promises.hold(at_provider=True)

    def test_of_a_hold_that_ran_out_at_the_bank(self, sandbox: Sandbox) -> None:
        """Stripe's object may still show the hold: https://docs.stripe.com/error-codes#charge-expired-for-capture"""
        frontend, made = hold()
        sandbox.fault("POST /v1/payment_intents/*/capture", "refuse", error={"code": "charge_expired_for_capture"})
        answer = frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "hold_expired")
        settle(sandbox)
        assert sandbox.payment_intents()[0]["status"] == "canceled", "what is left of the hold is released"
        promises.hold(at_provider=True)

    def test_of_money_that_was_captured_there(self, sandbox: Sandbox) -> None:
        frontend, made = hold()
        at_the_dashboard(sandbox, f"payment_intents/{made['payment']['provider_ref']}/capture")
        answer = frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (200, "confirmed")
        settle(sandbox)
        assert Reservation.objects.get().status == "paid"

    def test_that_is_refused_while_the_hold_stands_is_asked_for_again(self, sandbox: Sandbox) -> None:
        frontend, made = hold()
        sandbox.fault("POST /v1/payment_intents/*/capture", "refuse")
        answer = frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (200, "confirmed")
        settle(sandbox)
        assert Reservation.objects.get().status == "paid"


class TestRefund:
    def test_of_money_that_was_given_back_there(self, sandbox: Sandbox) -> None:
        frontend = Frontend.of(SlotFactory.create())
        made = paying.paid(frontend, sandbox)
        sandbox.webhooks("drop")
        at_the_dashboard(sandbox, "refunds", payment_intent=Payment.objects.get().provider_ref)
        assert frontend.post("refunds", {"payment_id": made}).status_code in (201, 202)
        execution.execute_due()
        refund, command = Refund.objects.get(), Command.objects.get(kind="refund")
        assert (command.status, refund.status, refund.failure_code) == ("refused", "failed", "charge_already_refunded")

    def test_that_was_made_is_not_refused(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first try made it and its answer was lost; the second is refused because of it."""
        frontend = Frontend.of(SlotFactory.create())
        made = paying.paid(frontend, sandbox)
        sandbox.fault("POST /v1/refunds", "drop_answer")
        frontend.post("refunds", {"payment_id": made})
        execution.execute_due()
        with monkeypatch.context() as refusing:
            refusing.setattr(StripeProvider, "refund", _refuse(code="charge_already_refunded"))
            end_leases()
            execution.execute_due()
        stripe_events.deliver_all(sandbox)
        assert (Refund.objects.get().status, Payment.objects.get().amount_refunded) == ("succeeded", 2599)


class TestRefused:
    @pytest.mark.parametrize(
        ("param", "code", "named"),
        [
            ("currency", "invalid_currency", None),
            ("amount", "invalid_amount", None),
            ("payment_method", "invalid_payment_method", "payment.payment_method_id"),
            (None, "payment_refused", None),
        ],
    )
    def test_is_not_told_as_declined(self, sandbox: Sandbox, param: str | None, code: str, named: str | None) -> None:
        said = {"param": param, "code": "resource_missing"} if param == "payment_method" else {"param": param}
        sandbox.fault(CREATE, "refuse", error={name: value for name, value in said.items() if value})
        slot = SlotFactory.create()
        answer = Frontend.of(slot).reserve(slot)
        error = answer.json()["error"]
        assert (answer.status_code, error["type"], error["code"], error["param"]) == (
            422, "validation_error", code, named,
        )  # fmt: skip
        assert (Reservation.objects.get().status, Reservation.objects.get().slot.reserved) == ("failed", 0)  # type: ignore[union-attr]
        assert sandbox.payment_intents() == []


def _refuse(*, code: str, field: str = "") -> Any:
    def refuse(self: StripeProvider, **given: Any) -> Any:
        raise RefusedError(failure=Failure(code=code, message="No."), field=field)

    return refuse

"""The payments API: money that is not a reservation's, from its making to its refund, through HTTP and a worker."""

from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from booking import execution
from payments import intents
from payments.models import Command, Payment
from tests.support import promises, providers, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory, make_client
from tests.support.paying import create, paid, work
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def frontend(sandbox: Sandbox) -> Frontend:
    return Frontend(make_client(OperatorFactory.create())[1])


class TestCreate:
    def test_makes_an_intent_that_takes_nothing(self, frontend: Frontend, sandbox: Sandbox) -> None:
        answer = create(frontend, customer_id="c-7", metadata={"order": "7"})
        assert answer.status_code == 201, answer.content
        made = answer.json()
        assert (made["status"], made["amount"], made["currency"]) == ("requires_confirmation", 2599, "USD")
        assert (made["capture_method"], made["customer_id"], made["metadata"]) == ("automatic", "c-7", {"order": "7"})
        assert made["client_secret"].startswith(made["provider_ref"])
        (intent,) = sandbox.payment_intents()
        assert (intent["status"], intent["amount_received"]) == ("requires_payment_method", 0)
        promises.hold(at_provider=True)

    def test_can_be_paid_with_the_client_secret(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = frontend.post("payment_intents", {"amount": 2599, "currency": "USD"})
        sandbox.pay(made.json()["provider_ref"])
        stripe_events.deliver_all(sandbox)
        assert frontend.get(f"payment_intents/{made.json()['id']}").json()["status"] == "succeeded"

    @pytest.mark.parametrize("effect", ["drop_answer", "error_before", "error_after", "rate_limit"])
    def test_a_lost_answer_makes_one_intent(self, frontend: Frontend, sandbox: Sandbox, effect: str) -> None:
        sandbox.fault("POST /v1/payment_intents", effect)
        made = create(frontend).json()
        assert (made["status"], made["client_secret"]) == ("requires_confirmation", None)
        end_leases()
        execution.execute_due()
        found = frontend.get(f"payment_intents/{made['id']}").json()
        assert found["client_secret"] is not None
        assert len(sandbox.payment_intents()) == 1

    def test_a_first_run_that_was_only_slow_does_not_make_a_second(
        self, frontend: Frontend, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = {"amount": 2599, "currency": "USD"}
        store = intents._create

        def overtaken(*given: Any) -> Command:
            monkeypatch.setattr(intents, "_create", store)
            end_leases()
            assert frontend.post("payment_intents", body, key="once").status_code == 201
            return store(*given)

        monkeypatch.setattr(intents, "_create", overtaken)
        assert frontend.post("payment_intents", body, key="once").status_code == 201
        assert (Payment.objects.count(), len(sandbox.payment_intents())) == (1, 1)

    @pytest.mark.parametrize(
        ("changes", "param", "code"),
        [
            ({"amount": 0}, "amount", "min_value"),
            ({"amount": 49}, "amount", "invalid_amount"),
            ({"amount": 100_000_000}, "amount", "invalid_amount"),
            ({"amount": 25.99}, "amount", "invalid"),
            ({"amount": "2599"}, "amount", "invalid"),
            ({"amount": True}, "amount", "invalid"),
            ({"currency": "usd"}, "currency", "invalid_currency"),
            ({"currency": "XAU"}, "currency", "invalid_currency"),
            ({"currency": "ABC"}, "currency", "invalid_currency"),
            ({"currency": "LYD"}, "currency", "invalid_currency"),
            ({"currency": "KWD", "amount": 2595}, "amount", "invalid_amount"),
            ({"capture_method": "later"}, "capture_method", "invalid_choice"),
            ({"metadata": {"k": 5.5, "x": []}}, "metadata.x", "invalid"),
            ({"ammount": 5}, "ammount", "unknown_field"),
        ],
    )
    def test_a_wrong_field_is_named(
        self, frontend: Frontend, sandbox: Sandbox, changes: dict[str, Any], param: str, code: str
    ) -> None:
        refused = create(frontend, **changes)
        assert refused.status_code == 422, refused.content
        assert (refused.json()["error"]["param"], refused.json()["error"]["code"]) == (param, code)
        assert (Payment.objects.count(), sandbox.payment_intents()) == (0, [])

    @pytest.mark.parametrize("path", ["payment_intents", "refunds", "payment_intents/{id}/capture"])
    @pytest.mark.parametrize(
        ("amount", "message"),
        [(0, "An amount must be more than zero."), (10**12 + 1, "This amount is too large.")],
    )
    def test_an_amount_of_no_size_is_told_in_words(
        self, frontend: Frontend, path: str, amount: int, message: str
    ) -> None:
        missing = str(UUID(int=1))
        others = {"payment_intents": {"currency": "EUR"}, "refunds": {"payment_id": missing}}.get(path, {})
        refused = frontend.post(path.format(id=missing), {"amount": amount, **others})
        assert (refused.status_code, refused.json()["error"]["message"]) == (422, message)

    @pytest.mark.parametrize(
        ("amount", "currency", "theirs"),
        [(500, "JPY", 500), (500, "ISK", 50_000), (5000, "KWD", 5000), (900, "UGX", 90_000)],
    )
    def test_each_currency_is_counted_as_stripe_does(
        self, frontend: Frontend, sandbox: Sandbox, amount: int, currency: str, theirs: int
    ) -> None:
        made = paid(frontend, sandbox, amount=amount, currency=currency)
        assert sandbox.payment_intents()[0]["amount_received"] == theirs
        assert frontend.get(f"payments/{made}").json()["captured_amount"] == amount


class TestConfirm:
    def test_is_carried_out_by_a_worker_and_settled_by_the_event(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = create(frontend).json()["id"]
        answer = frontend.patch(f"payment_intents/{made}/confirm")
        assert (answer.status_code, answer.json()) == (202, {"id": made, "status": "processing"})
        assert frontend.get(f"payments/{made}").status_code == 425
        assert frontend.get(f"payments/{made}").json()["error"]["code"] == "processing"
        execution.execute_due()
        assert frontend.get(f"payment_intents/{made}").json()["status"] == "processing"
        stripe_events.deliver_all(sandbox)
        result = frontend.get(f"payments/{made}").json()
        assert (result["status"], result["captured_amount"], result["refunded_amount"]) == ("succeeded", 2599, 0)
        assert result["auth_code"] == "123456"
        assert result["receipt_url"].startswith("https://")
        promises.hold(at_provider=True)

    def test_a_decline_fails_it_for_good(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = create(frontend, payment_method_id="pm_card_chargeDeclined").json()["id"]
        frontend.patch(f"payment_intents/{made}/confirm")
        work(sandbox)
        work(sandbox)
        found = frontend.get(f"payment_intents/{made}").json()
        assert (found["status"], found["failure"]["code"]) == ("failed", "card_declined")
        assert frontend.get(f"payments/{made}").json()["captured_amount"] == 0
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        again = frontend.patch(f"payment_intents/{made}/confirm", {"payment_method_id": "pm_card_visa"})
        assert (again.status_code, again.json()["error"]["code"]) == (409, "invalid_state")

    def test_a_failure_can_be_forced_against_the_sandbox_only(
        self, frontend: Frontend, sandbox: Sandbox, settings: Settings
    ) -> None:
        made = create(frontend).json()["id"]
        providers.configure(settings, api_base="")
        refused = frontend.patch(f"payment_intents/{made}/confirm?force=failure")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "sandbox_only")
        providers.configure(settings, api_base=sandbox.url)
        assert frontend.patch(f"payment_intents/{made}/confirm?force=failure").status_code == 202
        work(sandbox)
        assert frontend.get(f"payment_intents/{made}").json()["status"] == "failed"

    def test_needs_a_payment_method(self, frontend: Frontend) -> None:
        made = frontend.post("payment_intents", {"amount": 2599, "currency": "USD"}).json()["id"]
        refused = frontend.patch(f"payment_intents/{made}/confirm")
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, "payment_method_id")
        assert Payment.objects.get().status == "requires_confirmation"

    @pytest.mark.parametrize("effect", ["drop_answer", "error_before", "error_after", "rate_limit"])
    def test_a_lost_answer_takes_the_money_once(self, frontend: Frontend, sandbox: Sandbox, effect: str) -> None:
        made = create(frontend).json()
        sandbox.fault(f"POST /v1/payment_intents/{made['provider_ref']}/confirm", effect)
        frontend.patch(f"payment_intents/{made['id']}/confirm")
        for _ in range(3):
            end_leases()
            work(sandbox)
        assert frontend.get(f"payments/{made['id']}").json()["captured_amount"] == 2599
        assert sandbox.payment_intents()[0]["amount_received"] == 2599
        assert Command.objects.get(kind="confirm").status == "done"

    def test_ten_at_once_with_one_key_have_one_effect(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = create(frontend).json()["id"]
        answers = race([lambda: Frontend(frontend.key).patch(f"payment_intents/{made}/confirm", key="once")] * 10)
        assert {answer.status_code for answer in answers} <= {202, 409}
        assert len({answer.content for answer in answers if answer.status_code == 202}) == 1
        assert Command.objects.filter(kind="confirm").count() == 1


class TestHold:
    def held(self, frontend: Frontend, sandbox: Sandbox) -> str:
        made = create(frontend, capture_method="manual").json()["id"]
        frontend.patch(f"payment_intents/{made}/confirm")
        work(sandbox)
        assert frontend.get(f"payment_intents/{made}").json()["status"] == "on_hold"
        return str(made)

    @pytest.mark.parametrize(("body", "taken"), [({}, 2599), ({"amount": 1000}, 1000)])
    def test_is_captured_in_full_or_in_part(
        self, frontend: Frontend, sandbox: Sandbox, body: dict[str, int], taken: int
    ) -> None:
        made = self.held(frontend, sandbox)
        answer = frontend.post(f"payment_intents/{made}/capture", body)
        assert (answer.status_code, answer.json()["status"]) == (202, "processing")
        work(sandbox)
        assert frontend.get(f"payments/{made}").json()["captured_amount"] == taken
        assert sandbox.payment_intents()[0]["amount_received"] == taken
        promises.hold(at_provider=True)

    def test_more_than_is_held_is_refused(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = self.held(frontend, sandbox)
        refused = frontend.post(f"payment_intents/{made}/capture", {"amount": 2600})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_amount")
        assert refused.json()["error"]["message"] == "Capture exceeds the held 25.99 USD."
        assert Payment.objects.get().status == "on_hold"

    def test_is_canceled_for_real(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = self.held(frontend, sandbox)
        answer = frontend.post(f"payment_intents/{made}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        refused = frontend.post(f"payment_intents/{made}/capture")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
        assert frontend.get(f"payments/{made}").json()["status"] == "canceled"

    def test_a_cancellation_whose_answer_is_lost_is_found_out(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = self.held(frontend, sandbox)
        sandbox.fault(f"POST /v1/payment_intents/{Payment.objects.get().provider_ref}/cancel", "drop_answer")
        assert frontend.post(f"payment_intents/{made}/cancel").status_code == 202
        refused = frontend.post(f"payment_intents/{made}/capture")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
        end_leases()
        work(sandbox)
        assert frontend.get(f"payment_intents/{made}").json()["status"] == "canceled"


class TestManaged:
    @pytest.mark.parametrize(("method", "action"), [("patch", "confirm"), ("post", "capture"), ("post", "cancel")])
    def test_a_reservations_payment_is_driven_through_it(self, sandbox: Sandbox, method: str, action: str) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        payment = frontend.reserve(slot).json()["payment"]["id"]
        assert frontend.get(f"payment_intents/{payment}").json()["status"] == "on_hold"
        refused = getattr(frontend, method)(f"payment_intents/{payment}/{action}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "managed_by_reservation")
        assert Payment.objects.get().status == "on_hold"

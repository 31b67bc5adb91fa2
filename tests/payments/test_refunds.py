"""Refunds, and the list of all movements of money."""

import pytest
from django.db import connection

from booking import execution
from payments import queries
from payments.models import Payment, Refund
from tenants.models import Scope
from tests.support import promises, stripe_events
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


class TestRefund:
    def test_in_parts_never_more_than_was_taken(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = paid(frontend, sandbox)
        first = frontend.post("refunds", {"payment_id": made, "amount": 1000, "reason": "requested_by_customer"})
        assert (first.status_code, first.json()["status"], first.json()["amount"]) == (201, "pending", 1000)
        too_much = frontend.post("refunds", {"payment_id": made, "amount": 1600})
        assert (too_much.status_code, too_much.json()["error"]["code"]) == (422, "refund_exceeds_payment")
        work(sandbox)
        assert frontend.get(f"refunds/{first.json()['id']}").json()["status"] == "succeeded"
        rest = frontend.post("refunds", {"payment_id": made})
        assert rest.json()["amount"] == 1599
        work(sandbox)
        assert frontend.get(f"payments/{made}").json()["refunded_amount"] == 2599
        assert sorted(refund["amount"] for refund in sandbox.state()["refunds"]) == [1000, 1599]
        assert frontend.post("refunds", {"payment_id": made}).json()["error"]["code"] == "refund_exceeds_payment"

    def test_the_answer_is_no_evidence(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = paid(frontend, sandbox)
        refund = frontend.post("refunds", {"payment_id": made}).json()["id"]
        execution.execute_due()
        assert [row["status"] for row in sandbox.state()["refunds"]] == ["succeeded"]
        assert frontend.get(f"refunds/{refund}").json()["status"] == "pending"
        assert frontend.get(f"payments/{made}").json()["refunded_amount"] == 0
        stripe_events.deliver_all(sandbox)
        assert frontend.get(f"refunds/{refund}").json()["status"] == "succeeded"

    def test_two_racing_for_the_same_money(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = paid(frontend, sandbox)
        body = {"payment_id": made, "amount": 2000}
        answers = race([lambda: Frontend(frontend.key).post("refunds", body)] * 4)
        assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
        work(sandbox)
        assert [refund["amount"] for refund in sandbox.state()["refunds"]] == [2000]

    def test_that_fails_at_the_bank_comes_back(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = paid(frontend, sandbox)
        refund = frontend.post("refunds", {"payment_id": made}).json()["id"]
        work(sandbox)
        sandbox.fail_refund(Refund.objects.get().provider_ref)
        stripe_events.deliver_all(sandbox)
        assert frontend.get(f"refunds/{refund}").json()["status"] == "failed"
        assert frontend.get(f"payments/{made}").json()["refunded_amount"] == 0
        assert frontend.post("refunds", {"payment_id": made, "amount": 500}).status_code == 201

    @pytest.mark.parametrize(("amount", "status", "reserved"), [(None, "refunded", 0), (1000, "paid", 1)])
    def test_of_a_reservation_frees_its_place_if_in_full(
        self, sandbox: Sandbox, amount: int | None, status: str, reserved: int
    ) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()
        frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        work(sandbox)
        body = {"payment_id": made["payment"]["id"]} | ({"amount": amount} if amount else {})
        assert frontend.post("refunds", body).status_code == 201
        work(sandbox)
        assert frontend.get(f"reservations/{made['reservation']['id']}").json()["reservation"]["status"] == status
        slot.refresh_from_db()
        assert slot.reserved == reserved
        promises.hold(at_provider=True)

    @pytest.mark.parametrize("effect", ["drop_answer", "error_before", "error_after", "rate_limit"])
    def test_a_lost_answer_gives_back_once(self, frontend: Frontend, sandbox: Sandbox, effect: str) -> None:
        made = paid(frontend, sandbox)
        sandbox.fault("POST /v1/refunds", effect)
        frontend.post("refunds", {"payment_id": made})
        for _ in range(3):
            end_leases()
            work(sandbox)
        assert [refund["amount"] for refund in sandbox.state()["refunds"]] == [2599]
        assert frontend.get(f"payments/{made}").json()["refunded_amount"] == 2599

    def test_needs_its_own_scope(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = paid(frontend, sandbox)
        operator = Payment.objects.get(pk=made).operator
        booker = Frontend(make_client(operator, scopes=[Scope.READ, Scope.BOOK])[1])
        assert booker.post("refunds", {"payment_id": made}).status_code == 403
        assert Refund.objects.count() == 0

    def test_of_what_was_not_taken_is_refused(self, frontend: Frontend) -> None:
        made = create(frontend).json()["id"]
        refused = frontend.post("refunds", {"payment_id": made})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")


class TestTransactions:
    def test_list_every_movement_with_its_commands(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = paid(frontend, sandbox)
        create(frontend)
        refund = frontend.post("refunds", {"payment_id": made}).json()["id"]
        work(sandbox)
        found = frontend.get("transactions").json()["results"]
        assert [(row["kind"], row["status"], row["amount"]) for row in found] == [
            ("refund", "successful", 2599),
            ("charge", "pending", 2599),
            ("charge", "refunded", 2599),
        ]
        for query, number in (
            ({"kind": "refund"}, 1),
            ({"status": "pending"}, 1),
            ({"from": "2040-01-01T00:00:00Z"}, 0),
        ):
            assert len(frontend.get("transactions", **query).json()["results"]) == number
        detail = frontend.get(f"transactions/{made}").json()
        assert [(command["kind"], command["status"]) for command in detail["commands"]] == [
            ("create", "done"),
            ("confirm", "done"),
        ]
        assert [command["kind"] for command in frontend.get(f"transactions/{refund}").json()["commands"]] == ["refund"]

    def test_pages_stay_right_while_rows_arrive(self, frontend: Frontend, sandbox: Sandbox) -> None:
        ids = [create(frontend).json()["id"] for _ in range(4)]
        first = frontend.get("transactions", page_size=2).json()
        create(frontend)
        second = frontend.http.get(first["next"]).json()
        seen = [row["id"] for row in first["results"] + second["results"]]
        assert seen == ids[::-1]


class TestWrongFields:
    @pytest.mark.parametrize(
        ("path", "body", "param", "code"),
        [
            ("refunds", {}, "payment_id", "required"),
            ("refunds", {"payment_id": 7}, "payment_id", "invalid"),
            ("refunds", {"payment_id": "x"}, "payment_id", "invalid"),
            ("refunds", {"payment_id": "{id}", "amount": 0}, "amount", "min_value"),
            ("refunds", {"payment_id": "{id}", "amount": "5"}, "amount", "invalid"),
            ("refunds", {"payment_id": "{id}", "reason": "bored"}, "reason", "invalid_choice"),
            ("refunds", {"payment_id": "{id}", "sum": 5}, "sum", "unknown_field"),
            ("payment_intents/{id}/capture", {"amount": -1}, "amount", "min_value"),
            ("payment_intents/{id}/capture", {"amount": 10**30}, "amount", "max_value"),
            ("payment_intents/{id}/capture", {"ammount": 1}, "ammount", "unknown_field"),
            ("payment_intents/{id}/cancel", {"why": "x"}, "why", "unknown_field"),
            ("payment_intents/{id}/confirm", {"payment_method_id": "a b"}, "payment_method_id", "invalid"),
            ("payment_intents/{id}/confirm?force=success", {}, "force", "invalid_choice"),
        ],
    )
    def test_are_named_and_nothing_is_stored(
        self, frontend: Frontend, sandbox: Sandbox, path: str, body: dict[str, object], param: str, code: str
    ) -> None:
        made = create(frontend).json()["id"]
        given = {name: made if value == "{id}" else value for name, value in body.items()}
        send = frontend.patch if "confirm" in path else frontend.post
        refused = send(path.replace("{id}", made), given)
        assert refused.status_code == 422, refused.content
        assert (refused.json()["error"]["param"], refused.json()["error"]["code"]) == (param, code)
        payment = Payment.objects.get()
        assert (payment.status, payment.commands.count(), Refund.objects.count()) == ("requires_confirmation", 1, 0)


class TestIndexes:
    def test_a_page_is_read_from_the_indexes_of_both_tables_in_their_order(self) -> None:
        operator = OperatorFactory.create()
        rows = queries.transactions(operator=operator, status=None, kind=None, start=None, end=None)[:26]
        with connection.cursor() as cursor:
            # On tables of no rows the planner may as well scan or sort: asked is whether the indexes give the order.
            # What a vacuum has found out about empty tables is forgotten, since it makes every way equally short.
            for table in ("payments_payment", "payments_refund"):
                cursor.execute("SELECT pg_clear_relation_stats('public', %s)", [table])
            cursor.execute("SET enable_seqscan = off; SET enable_sort = off")
            try:
                plan = rows.explain()
            finally:
                cursor.execute("RESET enable_seqscan; RESET enable_sort")
        assert "Merge Append" in plan, plan
        for index in ("payment_operator_newest", "refund_operator_newest"):
            assert f"using {index}" in plan, plan

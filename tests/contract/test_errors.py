"""The error language: one envelope for everything that is refused, naming the field, and nothing is stored."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.models import Reservation
from catalogue.models import Slot
from idempotency.models import IdempotencyKey
from payments.models import Payment
from tests.support.api import Frontend, reservation_body
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

MISSING = object()


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Change one field of a body, named by its dotted path, or take it away."""
    *parents, last = path.split(".")
    at: Any = body
    for name in parents:
        at = at[int(name)] if isinstance(at, list) else at[name]
    if value is MISSING:
        del at[last]
    else:
        at[last] = value
    return body


WRONG: list[tuple[str, Any, str, str]] = [
    ("slot_id", MISSING, "slot_id", "required"),
    ("slot_id", "not-a-uuid", "slot_id", "invalid"),
    ("slot_id", None, "slot_id", "required"),
    ("slot_id", 5, "slot_id", "invalid"),
    ("units", MISSING, "units", "required"),
    ("units", [], "units", "empty"),
    ("units", {}, "units", "not_a_list"),
    ("units", [5], "units.0", "invalid"),
    ("units.0.unit", "dog", "units.0.unit", "invalid_unit"),
    ("units.0.unit", "", "units.0.unit", "required"),
    ("units.0.quantity", 0, "units.0.quantity", "min_value"),
    ("units.0.quantity", -1, "units.0.quantity", "min_value"),
    ("units.0.quantity", 101, "units.0.quantity", "max_value"),
    ("units.0.quantity", 10**30, "units.0.quantity", "max_value"),
    ("units.0.quantity", True, "units.0.quantity", "invalid"),
    ("units.0.quantity", "1", "units.0.quantity", "invalid"),
    ("units.0.quantity", 1.0, "units.0.quantity", "invalid"),
    ("units.0.quantity", MISSING, "units.0.quantity", "required"),
    ("units.0.price", 1, "units.0.price", "unknown_field"),
    ("customer", MISSING, "customer", "required"),
    ("customer.email", "nobody", "customer.email", "invalid"),
    ("customer.name", "", "customer.name", "required"),
    ("customer.name", "x" * 201, "customer.name", "max_length"),
    ("customer.name", "a\x00b", "customer.name", "null_characters_not_allowed"),
    ("payment", MISSING, "payment", "required"),
    ("payment.provider", "paypal", "payment.provider", "invalid_choice"),
    ("payment.capture_method", "later", "payment.capture_method", "invalid_choice"),
    ("payment.payment_method_id", "pm card", "payment.payment_method_id", "invalid"),
    ("amount", 1, "amount", "unknown_field"),
    ("metadata", {"key": {"deep": 1}}, "metadata.key", "invalid"),
    ("metadata", {"k" * 41: "v"}, "metadata", "too_long"),
    ("metadata", [], "metadata", "not_a_dict"),
]


class TestBody:
    @pytest.mark.parametrize(("path", "value", "param", "code"), WRONG)
    def test_a_wrong_field_is_named_and_nothing_is_stored(
        self, sandbox: Sandbox, path: str, value: Any, param: str, code: str
    ) -> None:
        slot = SlotFactory.create()
        refused = Frontend.of(slot).post("reservations", changed(reservation_body(slot), path, value))
        assert refused.status_code == 422, refused.content
        error = refused.json()["error"]
        assert (error["type"], error["param"], error["code"]) == ("validation_error", param, code)
        assert error["request_id"] == refused["X-Request-Id"]
        assert (Reservation.objects.count(), Payment.objects.count()) == (0, 0)

    @pytest.mark.parametrize(
        ("body", "content_type", "status", "code"),
        [
            (b"{", "application/json", 400, "malformed_json"),
            (b"\xff", "application/json", 400, "malformed_json"),
            (b"[" * 100_000, "application/json", 400, "malformed_json"),
            (b"a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
            (b'"text"', "application/json", 422, "invalid"),
            (b"null", "application/json", 422, "required"),
            (b"{" + b" " * 1024 * 1024 + b"}", "application/json", 413, "too_large"),
        ],
    )
    def test_what_is_no_body(self, body: bytes, content_type: str, status: int, code: str) -> None:
        frontend = Frontend.of(SlotFactory.create())
        refused = frontend.http.post(
            "/api/v1/reservations", body, content_type=content_type, headers={"Idempotency-Key": "k"}
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)

    def test_a_slot_and_a_resource_at_once_are_refused(self) -> None:
        slot = SlotFactory.create()
        refused = Frontend.of(slot).reserve(slot, resource_id=str(slot.activity_id))
        assert refused.json()["error"]["param"] == "slot_id"

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(["slot_id", "units", "customer", "payment", "metadata", "unit", "quantity", "x"]),
                    inner,
                    max_size=5,
                )
            ),
            max_leaves=12,
        )
    )
    def test_anything_else_is_refused_too(self, body: Any) -> None:
        slot = Slot.objects.first() or SlotFactory.create()
        before = IdempotencyKey.objects.count()
        frontend = Frontend.of(slot)
        for path in ("reservations", "reservations/019a9f6e-0f3c-7c6e-9d3a-5b1f0c2d4e6f/confirm"):
            answer = frontend.http.post(
                f"/api/v1/{path}", body, format="json", headers={"Idempotency-Key": f"k{before}{path[-1]}"}
            )
            assert 400 <= answer.status_code < 500, answer.content
            assert set(answer.json()["error"]) == {"type", "code", "message", "param", "request_id"}
        assert (Reservation.objects.count(), Payment.objects.count()) == (0, 0)


class TestQuery:
    @pytest.mark.parametrize(
        ("path", "query", "param"),
        [
            ("slots", {"places": "many"}, "places"),
            ("slots", {"places": "0"}, "places"),
            ("slots", {"from": "yesterday"}, "from"),
            ("slots", {"resource_id": "x"}, "resource_id"),
            ("slots", {"colour": "red"}, "colour"),
            ("slots", {"page_size": "101"}, "page_size"),
            ("reservations", {"status": "lost"}, "status"),
            ("reservations", {"slot_id": "x"}, "slot_id"),
        ],
    )
    def test_a_wrong_filter_is_named(self, path: str, query: dict[str, str], param: str) -> None:
        refused = Frontend.of(SlotFactory.create()).get(path, **query)
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, param)

    @pytest.mark.parametrize("cursor", ["x", "cD0xMjM=", "%00", "🙂"])
    def test_a_cursor_of_ones_own_making(self, cursor: str) -> None:
        refused = Frontend.of(SlotFactory.create()).get("reservations", cursor=cursor)
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, "cursor")


class TestElsewhere:
    def test_an_address_that_is_none(self) -> None:
        answer = Frontend("").get("nothing/here")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

    def test_a_method_that_is_none(self) -> None:
        answer = Frontend.of(SlotFactory.create()).http.delete("/api/v1/reservations")
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")

    @pytest.mark.parametrize("given_id", ["019a-abc", "req-from-the-proxy"])
    def test_the_request_id_comes_back(self, given_id: str) -> None:
        answer = Frontend("").http.get("/api/v1/slots", headers={"X-Request-Id": given_id})
        assert answer["X-Request-Id"] == answer.json()["error"]["request_id"] == given_id

    @pytest.mark.parametrize("given_id", ["", "short", "with space and more", "x" * 200, "line\nbreak-and-more"])
    def test_a_request_id_that_is_none_is_replaced(self, given_id: str) -> None:
        answer = Frontend("").http.get("/api/v1/slots", headers={"X-Request-Id": given_id})
        assert answer["X-Request-Id"].startswith("req_")

"""The OpenAPI document says what the API does: every kind of answer is held against it."""

from functools import cache
from typing import Any

import jsonschema
import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def check(answer: Any, path: str, method: str = "get") -> Any:
    """Hold an answer against what the document says of its operation and status."""
    responses = document()["paths"][f"/api/v1/{path}"][method]["responses"]
    assert str(answer.status_code) in responses, f"{method} {path} does not tell of {answer.status_code}"
    schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
    jsonschema.validate(
        answer.json(),
        schema | {"components": document()["components"]},
        format_checker=jsonschema.FormatChecker(),
    )
    return answer


class TestSchema:
    def test_every_answer_is_as_it_says(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=2)
        frontend = Frontend.of(slot)
        check(frontend.get("resources"), "resources")
        check(frontend.get(f"resources/{slot.activity_id}"), "resources/{resource_id}")
        check(frontend.get("slots"), "slots")
        check(frontend.get(f"slots/{slot.pk}"), "slots/{slot_id}")
        made = check(frontend.reserve(slot), "reservations", "post").json()["reservation"]
        check(frontend.reserve(slot, adults=5), "reservations", "post")
        check(frontend.reserve(slot, card="pm_card_chargeDeclined"), "reservations", "post")
        check(frontend.reserve(slot, colour="red"), "reservations", "post")
        one = "reservations/{reservation_id}"
        check(frontend.post(f"reservations/{made['id']}/extend", {"minutes": 20}), f"{one}/extend", "post")
        check(frontend.post(f"reservations/{made['id']}/extend", {"minutes": 9_999}), f"{one}/extend", "post")
        check(frontend.post(f"reservations/{made['id']}/confirm"), f"{one}/confirm", "post")
        check(frontend.post(f"reservations/{made['id']}/cancel"), f"{one}/cancel", "post")
        stripe_events.deliver_all(sandbox)
        check(frontend.get(f"reservations/{made['id']}"), one)
        check(frontend.get(f"reservations/{made['id']}/history"), f"{one}/history")
        check(frontend.get("reservations"), "reservations")
        check(frontend.get("reservations", status="x"), "reservations")
        check(Frontend("").get("slots"), "slots")
        check(frontend.get(f"reservations/{slot.pk}"), one)
        sandbox.fault("POST /v1/payment_intents", "error_before")
        check(frontend.reserve(slot), "reservations", "post")

    def test_every_operation_is_described(self) -> None:
        for path, operations in document()["paths"].items():
            for method, operation in operations.items():
                assert operation["summary"], (method, path)
                assert operation["description"], (method, path)
                assert operation["security"] == [{"Bearer": []}], (method, path)
                assert "401" in operation["responses"], (method, path)

    def test_every_operation_has_examples_that_are_right(self) -> None:
        for path, operations in document()["paths"].items():
            for method, operation in operations.items():
                shown = dict(operation["responses"])
                wanted = {status: shown[status] for status in shown if status.startswith("2")}
                if "requestBody" in operation:
                    wanted["request"] = operation["requestBody"]
                for status, told in wanted.items():
                    content = told["content"]["application/json"]
                    assert content.get("examples"), (method, path, status)
                    for example in content["examples"].values():
                        jsonschema.validate(
                            example["value"], content["schema"] | {"components": document()["components"]}
                        )

    def test_it_is_served_with_its_pages(self) -> None:
        http = Frontend("").http
        assert http.get("/api/v1/schema").status_code == 200
        for page in ("docs", "redoc"):
            text = http.get(f"/api/v1/{page}").content.decode()
            assert "https://" not in text.replace("https://docs.stripe.com", ""), f"{page} needs the internet"

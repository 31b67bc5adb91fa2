"""Text that nothing can hold is refused where it comes in: every operation, each of its fields, by introspection."""

import io
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.apps import apps
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from booking.models import Reservation
from common import text_intake
from common.serializers import LONGEST_MAIL_ADDRESS
from config.wsgi import application
from idempotency.models import IdempotencyKey
from payments.models import Payment
from tests.support import walking
from tests.support.api import Frontend, reservation_body
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db

ODD: tuple[Any, ...] = (
    "a\0b", "\ud800", "x\udfff", "x" * 300 + "@example.com", "y" * 10_000, "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-02-30", "253402300800", 10**30, -(10**30), "1e400", {"\ud800": "\0"}, ["\0"],
)  # fmt: skip
"""What may stand in any field; each is refused by the field that it stands in, or is harmless to it."""
UNTAKEABLE = ("a\0b", "\ud800", "x\udfff")


def operations() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """List method, path, description and an example body of each operation."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for path, found in schema["paths"].items():
        for method, operation in found.items():
            yield method, path, operation, walking._example(schema, operation)


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List the path of every value in a body."""
    yield path
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, inner in inside:
        yield from places(inner, (*path, key))


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = body.copy()
    copy[path[0]] = changed(copy[path[0]], path[1:], value)
    return copy


def with_key(body: Any, path: tuple[Any, ...], key: str) -> Any:
    here = body
    for part in path:
        here = here[part]
    return changed(body, path, {**here, key: "x"})


def counts() -> dict[str, int]:
    """Count the rows of every table but that of the keys themselves."""
    models = [model for model in apps.get_models() if model is not IdempotencyKey]
    return {model._meta.label: model._default_manager.count() for model in models}


class Caller:
    """Sends raw bodies, twice with one key, and wants one answer."""

    def __init__(self, key: str) -> None:
        self.http = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {key}"}

    def send(self, method: str, path: str, body: bytes, query: str = "") -> Any:
        headers = self.headers | {"Idempotency-Key": str(uuid.uuid4())}
        where = f"{path}?{query}" if query else path
        first, again = (
            self.http.generic(method.upper(), where, body, content_type="application/json", headers=headers)
            for _ in range(2)
        )
        told = [
            {name: value for name, value in answer.json().get("error", {}).items() if name != "request_id"}
            if "json" in answer.get("Content-Type", "") and isinstance(answer.json(), dict) else None
            for answer in (first, again)
        ]  # fmt: skip
        assert (first.status_code, told[0]) == (again.status_code, told[1]), (method, where, body[:200])
        return first


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:
    return Caller(Frontend.of(SlotFactory.create()).key)


class TestEveryOperation:
    def test_no_value_in_a_body_is_a_fault_of_ours(self, caller: Caller) -> None:
        before, tried = counts(), 0
        for method, template, operation, example in operations():
            if "requestBody" not in operation:
                continue
            path = filled(template)
            for where in places(example):
                for odd in UNTAKEABLE if where else ODD:
                    answer = caller.send(method, path, json.dumps(changed(example, where, odd)).encode())
                    assert answer.status_code == 422 or (where == () and answer.status_code < 500), answer.content
                    tried += 1
        assert tried > 100
        assert counts() == before

    def test_nor_is_a_key_at_any_depth(self, caller: Caller) -> None:
        before, tried = counts(), 0
        for method, template, operation, example in operations():
            if "requestBody" not in operation:
                continue
            for where in places({**example, "metadata": {"a": "b"}}):
                body = {**example, "metadata": {"a": "b"}}
                here = body
                for part in where:
                    here = here[part]
                if isinstance(here, dict):
                    for key in UNTAKEABLE:
                        raw = json.dumps(with_key(body, where, key)).encode()
                        error = caller.send(method, filled(template), raw).json()["error"]
                        assert error["code"].endswith("_characters_not_allowed"), error
                        assert error["param"] == ".".join([*map(str, where), text_intake.legible(key)])
                        tried += 1
        assert tried > 30
        assert counts() == before

    @pytest.mark.django_db(transaction=True)
    def test_nor_is_any_parameter(self, caller: Caller) -> None:
        before, tried = counts(), 0
        for method, template, operation, example in operations():
            named = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
            for name in [*named, "unheard"]:
                for odd in ("%00", "a%00b", "%ED%A0%80", "%FF", "x" * 10_000, "0001-01-01T00:00:00%2B14:00",
                            "9999-12-31T23:59:59-14:00", "2026-02-30", "253402300800", "9" * 400, "1e400"):  # fmt: skip
                    answer = caller.send(method, filled(template), json.dumps(example).encode(), f"{name}={odd}")
                    assert answer.status_code < 500, (template, name, odd)
                    if "%" in odd and ":" not in odd:
                        assert answer.status_code in (400, 404, 422), (template, name, odd)
                    tried += 1
        assert tried > 200
        assert {name for name, number in counts().items() if number != before[name]} <= _MADE

    def test_nor_is_any_path(self, caller: Caller) -> None:
        for method, template, _, example in operations():
            if "{" not in template:
                continue
            for odd in ("%00", "x%00y", "%ED%A0%80", "%FF", "0", "9" * 400, "-1", "x" * 3000, "..", "%2e%2e%2f"):
                path = template.split("{")[0] + odd + template.split("}")[1]
                assert caller.send(method, path, json.dumps(example).encode()).status_code in (404, 301), path

    @pytest.mark.parametrize(
        "headers",
        [
            {"Idempotency-Key": "a\0b"}, {"Idempotency-Key": "é"}, {"Idempotency-Key": "x" * 256},
            {"Idempotency-Key": "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")},
            {"Authorization": "Bearer a\0b"}, {"Authorization": "Bearer \xff"}, {"Authorization": "Bearer a b"},
            {"Authorization": "Bearer " + "x" * 9_000}, {"Holdfast-Operator": "a\0b"},
        ],
    )  # fmt: skip
    def test_nor_is_any_header(self, caller: Caller, headers: dict[str, str]) -> None:
        sent = caller.headers | {"Idempotency-Key": "k", "X-Request-Id": "a\0bcdefgh"} | headers
        answer = caller.http.post("/api/v1/refunds", b"{}", content_type="application/json", headers=sent)
        assert answer.status_code in (400, 401, 422), answer.content
        assert "\0" not in answer["X-Request-Id"]


_MADE = {f"payments.{name}" for name in ("Payment", "PaymentHistory", "Command", "CheckAttempt", "Transaction")}
"""What a request makes whose only oddity is a parameter that nobody reads."""


def filled(template: str) -> str:
    """Name something that is not there in a path of the schema."""
    return re.sub(r"\{\w+\}", lambda _: str(uuid.uuid4()), template)


class TestBody:
    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            (b'{"amount": NaN}', "NaN"),
            (b'{"amount": -Infinity}', "-Infinity"),
            (b'{"amount": 1e400}', "too large"),
            (b'{"amount": ' + b"9" * 5_000 + b"}", "100 digits"),
            (b'{"amount": 1, "amount": 2}', "'amount' appears twice in one object"),
            (b'{"metadata": {"a": "1", "\\u0061": "2"}}', "'a' appears twice in one object"),
            (b'{"\\ud800": 1, "\\ud800": 2}', "twice"),
            (b'{"metadata": ' + b"[" * 60 + b"]" * 60 + b"}", "nested too deep"),
            (b"[" * 200_000, "nested too deep"),
            (b'\xef\xbb\xbf{"amount": 1}', "byte order mark"),
            ('{"amount": 1}'.encode("utf-16"), "UTF-8"),
            (b'{"customer_id": "\xed\xa0\x80"}', "UTF-8"),
            (b'{"customer_id": "caf\xe9"}', "UTF-8"),
            (b'{"customer_id": "a\x00b"}', "JSON"),
            (b"{'amount': 1}", "JSON"),
            (b'{"amount": 1} {}', "JSON"),
        ],
    )
    def test_what_is_no_json_that_can_be_taken(self, caller: Caller, raw: bytes, words: str) -> None:
        for path in ("payment_intents", "reservations", "refunds"):
            answer = caller.send("post", f"/api/v1/{path}", raw)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["param"]) == (400, "malformed_json", None)
            assert words in error["message"]
        assert (Reservation.objects.count(), Payment.objects.count()) == (0, 0)

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("charset", ["hex", '"utf-16"'])
    def test_a_charset_has_no_effect(self, sandbox: Sandbox, charset: str) -> None:
        slot = SlotFactory.create()
        body = reservation_body(slot, customer={"name": "João", "email": "a@example.com"})
        raw = json.dumps(body, ensure_ascii=False).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/reservations", "QUERY_STRING": "x=%C3%A9",
            "CONTENT_TYPE": f"application/json; Charset={charset}", "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw), "HTTP_IDEMPOTENCY_KEY": "k", "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {Frontend.of(slot).key}",
        }  # fmt: skip
        setup_testing_defaults(environ)
        statuses: list[str] = []

        def start(status: str, headers: Any, *_: Any) -> Any:
            statuses.append(status)

        application(environ, start)
        assert (statuses, Reservation.objects.get().customer_name) == (["201 Created"], "João")

    def test_a_key_said_twice_is_not_the_request_that_says_it_once(self, sandbox: Sandbox) -> None:
        frontend = Frontend.of(SlotFactory.create())
        ambiguous, plain = '{"amount": 1, "amount": 900, "currency": "USD"}', '{"amount": 900, "currency": "USD"}'
        statuses = [
            frontend.http.generic("POST", "/api/v1/payment_intents", raw, content_type="application/json",
                                  headers={"Idempotency-Key": "k"}).status_code
            for raw in (ambiguous, plain)
        ]  # fmt: skip
        assert statuses == [400, 422]  # the second is another request with the key of the first

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("length", [254, 255, 320])
    def test_a_mail_address_is_as_long_as_its_column(self, sandbox: Sandbox, length: int) -> None:
        slot = SlotFactory.create()
        address = "a@" + _host(length - 2)
        assert len(address) == length
        answer = Frontend.of(slot).reserve(slot, customer={"name": "A", "email": address})
        assert answer.status_code == (201 if length <= LONGEST_MAIL_ADDRESS else 422), answer.content
        assert Reservation.objects.count() == (length <= LONGEST_MAIL_ADDRESS)


def _host(length: int) -> str:
    """Write a host of a length, of labels that may be."""
    labels, rest = divmod(length - 5, 51)
    return ("h" * 50 + ".") * labels + "k" * (rest + 1) + ".com"

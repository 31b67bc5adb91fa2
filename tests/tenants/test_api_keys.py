"""Who is calling: the key of an API client, and what it may do."""

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from booking.models import Reservation
from payments.models import Payment, Refund
from tenants import api_keys
from tenants.models import ApiClient, Scope
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory, make_client
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class TestKey:
    @pytest.mark.parametrize(
        "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer hf_wrong", "Bearer " + "x" * 500]
    )
    def test_without_a_valid_one_nothing_is_told(self, header: str | None) -> None:
        frontend = Frontend("")
        frontend.http.credentials(**({} if header is None else {"HTTP_AUTHORIZATION": header}))
        answer = frontend.get("slots")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_a_revoked_one_is_refused(self) -> None:
        client, key = make_client(OperatorFactory.create())
        assert Frontend(key).get("slots").status_code == 200
        api_keys.revoke(client=client, now=timezone.now())
        assert Frontend(key).get("slots").status_code == 401

    def test_of_an_operator_that_has_gone_is_refused(self) -> None:
        operator = OperatorFactory.create()
        _, key = make_client(operator)
        operator.is_active = False
        operator.save()
        assert Frontend(key).get("slots").status_code == 401

    def test_is_kept_as_a_hash_only(self) -> None:
        client, key = make_client(OperatorFactory.create())
        kept = ApiClient.objects.values().get(pk=client.pk)
        assert key not in str(kept)
        assert kept["key_hash"] == api_keys.hash_key(key)

    @pytest.mark.parametrize(
        ("scopes", "read", "book"),
        [([], 403, 403), ([Scope.READ], 200, 403), ([Scope.BOOK], 403, 201), ([Scope.REFUND], 403, 403)],
    )
    def test_may_do_what_its_scopes_say(self, sandbox: Sandbox, scopes: list[Scope], read: int, book: int) -> None:
        slot = SlotFactory.create()
        _, key = make_client(slot.activity.operator, scopes=scopes)
        assert Frontend(key).get("slots").status_code == read
        made = Frontend(key).reserve(slot)
        assert made.status_code == book
        if book == 403:
            assert made.json()["error"]["code"] == "insufficient_scope"
            assert Reservation.objects.count() == 0


BODIES = {
    "payments": {"provider": "stripe"},
    "receipts": {"method": "cash"},
    "extend": {"minutes": 10},
    "adjustments": {"kind": "extra", "amount": 100, "reason": "because"},
}
"""What has to be said at an address, by its last word."""


def endpoints() -> list[tuple[str, set[str]]]:
    """Find every path below /api/v1/ by introspection, with its methods."""

    def walk(resolver: URLResolver, prefix: str) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for entry in resolver.url_patterns:
            path = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                found += walk(entry, path)
            elif isinstance(entry, URLPattern):
                found.append((path, entry.callback))
        return found

    documents = {"schema", "docs", "redoc"}
    views = [(path, view) for path, view in walk(get_resolver(), "") if path.startswith("api/v1/")]
    return [
        (path.removeprefix("api/v1/"), {name for name in ("get", "post", "patch") if hasattr(view.view_class, name)})
        for path, view in views
        if path.removeprefix("api/v1/") not in documents
    ]


class TestScope:
    """Every endpoint there is, with another operator's objects: none is found, and none is changed."""

    def test_no_endpoint_gives_away_anothers_objects(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        made = Frontend.of(slot).reserve(slot).json()
        stripe_events.deliver_all(sandbox)
        payment = Payment.objects.get()
        refund = Refund.objects.create(
            payment=payment, operator=payment.operator, amount=1, created_at=payment.created_at,
            changed_at=payment.created_at,
        )  # fmt: skip
        ids = {
            "reservation_id": made["reservation"]["id"],
            "slot_id": str(slot.pk),
            "resource_id": str(slot.activity_id),
            "intent_id": made["payment"]["id"],
            "refund_id": str(refund.pk),
            "transaction_id": made["payment"]["id"],
            "change_id": str(slot.pk),
        }
        stranger = Frontend(make_client(OperatorFactory.create())[1])
        found = endpoints()
        assert len(found) >= 19
        for path, methods in found:
            concrete = path
            for name, value in ids.items():
                concrete = concrete.replace(f"<uuid:{name}>", value)
            assert "<" not in concrete, f"say in this test whose object {path} names"
            if "get" in methods:
                answer = stranger.get(concrete)
                if concrete == path:
                    assert answer.json()["results"] == [], path
                else:
                    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), path
            for method in methods & {"post", "patch"}:
                if concrete == path:
                    continue  # what it makes is the caller's own; that it names nothing of others is tested below
                answer = getattr(stranger, method)(concrete, BODIES.get(path.rpartition("/")[2]))
                assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), (path, method)
        assert Reservation.objects.get().status == "pending"

    def test_nothing_is_made_of_anothers_objects(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        stranger = Frontend(make_client(OperatorFactory.create())[1])
        assert stranger.reserve(slot).status_code == 404
        body = {"resource_id": str(slot.activity_id), "slot_id": None}
        assert stranger.reserve(slot, **body).status_code in (404, 422)
        assert Reservation.objects.count() == 0

    def test_filters_do_not_reach_across(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        stranger = Frontend(make_client(OperatorFactory.create())[1])
        assert stranger.get("slots", resource_id=str(slot.activity_id)).json()["results"] == []
        assert stranger.get("reservations", slot_id=str(slot.pk)).json()["results"] == []

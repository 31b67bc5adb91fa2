"""ID tokens: what is believed, what is refused, and what happens while the user pool does not answer."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from moto.server import ThreadedMotoServer
from pytest_django import Settings
from rest_framework.test import APIClient

from booking.models import Reservation, Slot
from tenants import cognito
from tenants.models import ApiClient, Member, Operator, Role, User
from tests.api import Frontend, reservation_body
from tests.factories import OperatorFactory, SlotFactory
from tests.sandbox_client import Sandbox
from tests.tenants import pool as pools
from tests.tenants.pool import CLIENT, Pool

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool(settings: Settings) -> Iterator[Pool]:
    with pools.running() as running:
        settings.COGNITO_USER_POOL_ID, settings.COGNITO_REGION = pools.POOL, pools.REGION
        settings.COGNITO_CLIENT_ID, settings.COGNITO_ENDPOINT = CLIENT, running.url
        yield running


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create(slug="kayaks")


def call(token: str, path: str = "slots", **headers: str) -> Any:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}", **headers)
    return client.get(f"/api/v1/{path}")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def groups(*names: str) -> dict[str, Any]:
    return {"cognito:groups": list(names)}


AGENT = groups("holdfast:kayaks:agent")


class TestTokens:
    def test_a_good_one_is_believed(self, pool: Pool, operator: Operator) -> None:
        assert call(pool.token(**AGENT)).status_code == 200

    def test_clocks_may_differ_a_little(self, pool: Pool, operator: Operator) -> None:
        now = int(time.time())
        assert call(pool.token(**AGENT, exp=now - 30)).status_code == 200
        assert call(pool.token(**AGENT, iat=now + 30)).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"exp": int(time.time()) - 120}, "expired"),
            ({"iat": int(time.time()) + 600}, ""),
            ({"nbf": int(time.time()) + 600}, ""),
            ({"aud": "another-app"}, "app client"),
            ({"iss": f"https://cognito-idp.{pools.REGION}.amazonaws.com/{pools.REGION}_Another01"}, "user pool"),
            ({"iss": "https://example.com"}, "user pool"),
            ({"token_use": "access"}, "no ID token"),
            ({"token_use": None}, "missing"),
            ({"sub": None}, "missing"),
            ({"exp": None}, "missing"),
            ({"aud": None}, "missing"),
            ({"kid": "unknown"}, "does not have"),
        ],
    )
    def test_others_are_refused(self, pool: Pool, operator: Operator, changes: dict[str, Any], why: str) -> None:
        answer = call(pool.token(**AGENT, **changes))
        assert code(answer) == (401, "invalid_token")
        assert why in answer.json()["error"]["message"]
        assert not User.objects.exists()

    def test_without_a_signature(self, pool: Pool, operator: Operator) -> None:
        good = jwt.decode(pool.token(**AGENT), options={"verify_signature": False})
        for headers in ({"kid": "first"}, {}):
            assert code(call(jwt.encode(good, "", algorithm="none", headers=headers))) == (401, "invalid_token")

    def test_signed_with_the_public_key_as_a_secret(self, pool: Pool, operator: Operator) -> None:
        """The classic confusion: HS256 with what everybody can read."""
        good = jwt.decode(pool.token(**AGENT), options={"verify_signature": False})
        public = pool.keys["first"].public_key()
        secrets = [
            public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            json.dumps(pool.jwks()["keys"][0]).encode(),
        ]
        for secret in secrets:
            parts = [_b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "first"}, good)]
            signed = b".".join(parts)
            token = signed + b"." + _b64(hmac.new(secret, signed, hashlib.sha256).digest())
            assert code(call(token.decode())) == (401, "invalid_token")

    def test_signed_by_somebody_else_under_a_known_kid(self, pool: Pool, operator: Operator) -> None:
        pool.keys["theirs"] = pools._new_key()
        token = pool.token(key="theirs", kid="first", **AGENT)
        pool.keys.pop("theirs")
        assert code(call(token)) == (401, "invalid_token")

    @pytest.mark.parametrize("text", ["a.b.c", "..", "e30.e30.e30", "é.ü.ß"])
    def test_nonsense(self, pool: Pool, operator: Operator, text: str) -> None:
        assert code(call(text)) == (401, "invalid_token")

    def test_none_is_taken_where_there_is_no_pool(self, pool: Pool, operator: Operator, settings: Settings) -> None:
        settings.COGNITO_USER_POOL_ID = ""
        assert code(call(pool.token(**AGENT))) == (401, "invalid_token")


class TestKeys:
    def test_are_read_once(self, pool: Pool, operator: Operator) -> None:
        for _ in range(3):
            assert call(pool.token(**AGENT)).status_code == 200
        assert pool.asked == 1

    def test_a_new_key_is_read_when_it_is_first_seen(
        self, pool: Pool, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call(pool.token(**AGENT))
        pool.keys["second"] = pools._new_key()
        monkeypatch.setattr(cognito, "_RETRY_SECONDS", 0)
        assert call(pool.token(key="second", **AGENT)).status_code == 200

    def test_a_replaced_key_is_refused_once_the_keys_are_read_again(
        self, pool: Pool, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = pool.token(**AGENT)
        assert call(old).status_code == 200
        pool.replace_key("first", "second")
        monkeypatch.setattr(cognito, "_RETRY_SECONDS", 0)
        monkeypatch.setattr(cognito, "KEYS_SECONDS", 0)
        assert code(call(old)) == (401, "invalid_token")
        assert call(pool.token(key="second", **AGENT)).status_code == 200

    def test_made_up_keys_do_not_have_the_pool_asked_each_time(self, pool: Pool, operator: Operator) -> None:
        for number in range(20):
            call(pool.token(kid=f"made-up-{number}", **AGENT))
        assert pool.asked == 1

    def test_known_keys_work_on_while_the_pool_is_down(
        self, pool: Pool, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = pool.token(**AGENT)
        assert call(token).status_code == 200
        pool.is_down = True
        monkeypatch.setattr(cognito, "_RETRY_SECONDS", 0)
        monkeypatch.setattr(cognito, "KEYS_SECONDS", 0)
        assert call(token).status_code == 200
        pool.keys["second"] = pools._new_key()
        answer = call(pool.token(key="second", **AGENT))
        assert code(answer) == (503, "identity_unavailable")
        assert answer["Retry-After"]
        pool.is_down = False
        assert call(pool.token(key="second", **AGENT)).status_code == 200

    def test_nothing_falls_open_when_the_pool_was_never_seen(self, pool: Pool, operator: Operator) -> None:
        pool.is_down = True
        assert code(call(pool.token(**AGENT))) == (503, "identity_unavailable")
        assert not User.objects.exists()


class TestPeople:
    def test_are_made_on_first_sight_and_found_by_their_sub(self, pool: Pool, operator: Operator) -> None:
        for mail in ("ana@example.com", "ana@new.example.com"):
            assert call(pool.token(**AGENT, email=mail)).status_code == 200
        (person,) = User.objects.all()
        assert (person.cognito_sub, person.username, person.has_usable_password()) == (
            "sub-of-ana", "ana@example.com", False,
        )  # fmt: skip
        assert Member.objects.get().role == Role.AGENT
        assert ApiClient.objects.count() == 1

    def test_a_mail_address_is_no_identity(self, pool: Pool, operator: Operator) -> None:
        owner = User.objects.create_user("ana@example.com", email="ana@example.com", password="x")
        Member.objects.create(user=owner, operator=operator, role=Role.OWNER)
        call(pool.token(aud="app", **AGENT))
        assert call(pool.token(**AGENT)).status_code == 200
        made = User.objects.get(cognito_sub="sub-of-ana")
        assert made != owner
        assert made.username == "sub-of-ana"

    def test_groups_are_the_roles(self, pool: Pool, operator: Operator) -> None:
        call(pool.token(**groups("holdfast:kayaks:read_only", "holdfast:kayaks:manager", "holdfast:nobody:owner", "x")))
        assert [(row.operator, row.role) for row in Member.objects.all()] == [(operator, Role.MANAGER)]
        assert not User.objects.get().is_superuser
        assert code(call(pool.token())) == (403, "insufficient_scope")
        assert not Member.objects.exists()
        assert not User.objects.get().is_staff

    def test_the_platforms_group_makes_a_superuser_while_it_is_there(self, pool: Pool, operator: Operator) -> None:
        call(pool.token(**groups("holdfast:platform", "holdfast:kayaks:agent")))
        assert User.objects.get().is_superuser
        call(pool.token(**AGENT))
        assert not User.objects.get().is_superuser

    def test_who_was_made_inactive_or_revoked_stays_out(self, pool: Pool, operator: Operator) -> None:
        call(pool.token(**AGENT))
        User.objects.update(is_active=False)
        assert code(call(pool.token(**AGENT))) == (403, "insufficient_scope")
        User.objects.update(is_active=True)
        ApiClient.objects.update(revoked_at="2026-01-01T00:00Z")
        assert code(call(pool.token(**AGENT))) == (403, "insufficient_scope")

    def test_staff_of_several_say_where(self, pool: Pool, operator: Operator) -> None:
        other = OperatorFactory.create(slug="surf")
        slot = SlotFactory.create(resource__operator=other)
        token = pool.token(**groups("holdfast:kayaks:agent", "holdfast:surf:agent"))
        assert call(token).status_code == 400
        assert call(token, HTTP_HOLDFAST_OPERATOR="kayaks").json()["results"] == []
        assert call(token, HTTP_HOLDFAST_OPERATOR="surf").json()["results"][0]["id"] == str(slot.pk)
        assert code(call(token, HTTP_HOLDFAST_OPERATOR="boats")) == (403, "insufficient_scope")

    @pytest.mark.parametrize(("role", "status"), [("read_only", 403), ("agent", 201), ("manager", 201)])
    def test_a_role_says_what_they_may(self, pool: Pool, sandbox: Sandbox, role: str, status: int) -> None:
        slot = SlotFactory.create(resource__operator__slug="kayaks")
        frontend = Frontend(pool.token(**groups(f"holdfast:kayaks:{role}")))
        assert frontend.reserve(slot).status_code == status
        assert frontend.get("slots").status_code == 200

    def test_the_history_has_their_name(self, pool: Pool, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(resource__operator__slug="kayaks")
        made = Frontend(pool.token(**AGENT)).reserve(slot).json()["reservation"]
        history = Reservation.objects.get(pk=made["id"]).history.all()
        assert history[0].actor == "user:ana@example.com"


class TestCustomers:
    @pytest.fixture
    def slot(self, pool: Pool, sandbox: Sandbox) -> Slot:
        return SlotFactory.create(resource__operator__cognito_client_id="kayak-shop")

    def test_see_their_own_reservations_only(self, pool: Pool, slot: Slot) -> None:
        ana, rui = (Frontend(pool.token(aud="kayak-shop", sub=sub, email=None)) for sub in ("ana", "rui"))
        mine = ana.reserve(slot).json()["reservation"]["id"]
        assert ana.get(f"reservations/{mine}").status_code == 200
        assert [row["reservation"]["id"] for row in ana.get("reservations").json()["results"]] == [mine]
        assert rui.get("reservations").json()["results"] == []
        for answer in (
            rui.get(f"reservations/{mine}"), rui.get(f"reservations/{mine}/history"),
            rui.post(f"reservations/{mine}/cancel"), rui.post(f"reservations/{mine}/confirm"),
        ):  # fmt: skip
            assert code(answer) == (404, "not_found")
        assert Reservation.objects.get().status == "pending"
        assert ana.post(f"reservations/{mine}/cancel").status_code == 200

    def test_have_no_part_in_the_payments(self, pool: Pool, slot: Slot) -> None:
        ana = Frontend(pool.token(aud="kayak-shop"))
        made = ana.reserve(slot).json()
        for answer in (
            ana.get("payment_intents"), ana.get(f"payment_intents/{made['payment']['id']}"), ana.get("transactions"),
            ana.post("refunds", {"payment_id": made["payment"]["id"]}), ana.get("refunds"),
            ana.get(f"payments/{made['payment']['id']}"),
        ):  # fmt: skip
            assert code(answer) == (403, "insufficient_scope")

    def test_keys_are_each_ones_own(self, pool: Pool, slot: Slot) -> None:
        ana, rui = (Frontend(pool.token(aud="kayak-shop", sub=sub, email=None)) for sub in ("ana", "rui"))
        bodies = [one.post("reservations", reservation_body(slot), key="same").json() for one in (ana, rui, ana)]
        ids = [body["reservation"]["id"] for body in bodies]
        assert ids[0] == ids[2] != ids[1]

    def test_staff_who_come_by_the_shop_are_staff(self, pool: Pool, slot: Slot) -> None:
        operator = slot.resource.operator
        mine = Frontend(pool.token(aud="kayak-shop", sub="ana", email=None)).reserve(slot).json()["reservation"]["id"]
        staff = Frontend(
            pool.token(aud="kayak-shop", sub="boss", email=None, **groups(f"holdfast:{operator.slug}:owner"))
        )
        assert staff.get(f"reservations/{mine}").status_code == 200

    def test_are_strangers_at_another_operator(self, pool: Pool, slot: Slot) -> None:
        other = SlotFactory.create(resource__operator__cognito_client_id="surf-shop")
        mine = Frontend(pool.token(aud="kayak-shop")).reserve(slot).json()["reservation"]["id"]
        there = Frontend(pool.token(aud="surf-shop"))
        assert there.get(f"reservations/{mine}").status_code == 404
        assert there.get(f"slots/{slot.pk}").status_code == 404
        assert there.get(f"slots/{other.pk}").status_code == 200


class TestRealPool:
    """Against a stand-in of AWS over HTTP, which makes its tokens by itself."""

    def test_signs_somebody_in(self, operator: Operator, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            url = f"http://{host}:{port}"
            aws: Any = boto3.client("cognito-idp", region_name="eu-west-1", endpoint_url=url)
            pool = aws.create_user_pool(PoolName="staff")["UserPool"]["Id"]
            app = aws.create_user_pool_client(UserPoolId=pool, ClientName="backoffice")["UserPoolClient"]["ClientId"]
            aws.admin_create_user(
                UserPoolId=pool, Username="marta", UserAttributes=[{"Name": "email", "Value": "m@example.com"}]
            )
            aws.admin_set_user_password(UserPoolId=pool, Username="marta", Password="Corr3ct-horse", Permanent=True)
            aws.create_group(UserPoolId=pool, GroupName="holdfast:kayaks:manager")
            aws.admin_add_user_to_group(UserPoolId=pool, Username="marta", GroupName="holdfast:kayaks:manager")
            tokens = aws.initiate_auth(
                ClientId=app, AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": "marta", "PASSWORD": "Corr3ct-horse"},
            )["AuthenticationResult"]  # fmt: skip
            settings.COGNITO_USER_POOL_ID, settings.COGNITO_REGION = pool, "eu-west-1"
            settings.COGNITO_CLIENT_ID, settings.COGNITO_ENDPOINT = app, url
            answer = call(tokens["IdToken"])
            assert answer.status_code == 200, answer.content
            assert code(call(tokens["AccessToken"])) == (401, "invalid_token")
            assert Member.objects.get().role == Role.MANAGER
        finally:
            server.stop()


def _b64(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")

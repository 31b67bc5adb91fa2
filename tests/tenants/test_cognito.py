"""ID tokens: what is believed, what is refused, and what happens while the user pool does not answer."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from tenants import cognito
from tenants.models import Member, Operator, Role, User
from tests.support import user_pool as pools
from tests.support.user_pool import AGENT, Pool, call, code

pytestmark = pytest.mark.django_db(transaction=True)


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
            ({"exp": timedelta(seconds=-120)}, "expired"),
            ({"iat": timedelta(seconds=600)}, ""),
            ({"nbf": timedelta(seconds=600)}, ""),
            ({"aud": "another-app"}, "app client"),
            ({"iss": f"https://cognito-idp.{pools.REGION}.amazonaws.com/{pools.REGION}_Another01"}, "user pool"),
            ({"iss": "https://example.com"}, "user pool"),
            ({"token_use": "access"}, "not an ID token"),
            ({"token_use": None}, "It lacks a claim."),
            ({"sub": None}, "It lacks a claim."),
            ({"exp": None}, "It lacks a claim."),
            ({"aud": None}, "It lacks a claim."),
            ({"kid": "unknown"}, "does not have"),
        ],
    )
    def test_others_are_refused(self, pool: Pool, operator: Operator, changes: dict[str, Any], why: str) -> None:
        now = time.time()  # when the test runs, which may be long after it was collected
        times = {name: int(now + by.total_seconds()) for name, by in changes.items() if isinstance(by, timedelta)}
        answer = call(pool.token(**AGENT, **changes | times))
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

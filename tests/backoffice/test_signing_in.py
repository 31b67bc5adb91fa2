"""Signing in: by password and second factor, at the user pool, and not by guessing."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.urls import clear_url_caches, reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from config import identity
from tenants.models import Member, Operator, Role, User
from tests.support import user_pool as pools
from tests.support.desk import act, sign_in
from tests.support.factories import OperatorFactory
from tests.support.user_pool import CLIENT, Pool

pytestmark = pytest.mark.django_db(transaction=True)

INDEX, LOGIN = "/admin/", "/admin/login/"
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def nobody_has_tried() -> None:
    """Forget the tries of other tests: their table is no model's, and is not emptied between them."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tenants_requestcount")


@pytest.fixture
def person() -> User:
    made = User.objects.create_user("marta", password=PASSWORD, is_staff=True)
    Member.objects.create(user=made, operator=OperatorFactory.create(), role=Role.AGENT)
    return made


def by_password(client: Client, *, name: str = "marta", password: str = PASSWORD, code: str = "", **more: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password, "otp_token": code, "next": INDEX}, **more)


def code_of(device: TOTPDevice, *, steps: int = 0) -> str:
    totp = TOTP(device.bin_key, drift=device.drift)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


class TestPassword:
    def test_lets_in(self, person: User) -> None:
        client = Client()
        assert by_password(client).status_code == 302
        assert client.get(INDEX).status_code == 200

    def test_a_wrong_one_does_not(self, person: User) -> None:
        assert "correct username and password" in by_password(Client(), password="x").content.decode()

    def test_the_session_is_kept_from_scripts_and_other_sites(self, person: User) -> None:
        client = Client()
        by_password(client)
        cookie = client.cookies["sessionid"]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")

    def test_who_is_no_staff_has_no_place(self, person: User) -> None:
        User.objects.create_user("guest", password=PASSWORD)
        client = Client()
        by_password(client, name="guest")
        assert client.get(INDEX).status_code == 302


class TestSecondFactor:
    def turn_on(self, person: User) -> TOTPDevice:
        client = Client()
        client.force_login(person)
        page = reverse("admin:second_factor")
        assert "<svg" in client.get(page).content.decode()
        device = TOTPDevice.objects.get(user=person)
        wrong = client.post(page, {"password": "x", "code": code_of(device)})
        assert "not your password" in wrong.content.decode()
        assert client.post(page, {"password": PASSWORD, "code": code_of(device)}).status_code == 302
        device.refresh_from_db()
        assert device.confirmed
        return device

    def test_is_asked_for_once_it_is_on(self, person: User) -> None:
        device = self.turn_on(person)
        client = Client()
        assert "Enter the current code of your authenticator app." in by_password(client).content.decode()
        assert client.get(INDEX).status_code == 302
        assert by_password(client, code=code_of(device, steps=1)).status_code == 302
        assert client.get(INDEX).status_code == 200

    def test_a_code_is_good_once(self, person: User) -> None:
        device = self.turn_on(person)
        code = code_of(device, steps=1)
        assert by_password(Client(), code=code).status_code == 302
        assert "Enter the current code of your authenticator app." in by_password(Client(), code=code).content.decode()

    def test_one_that_is_not_on_yet_is_not_asked_for(self, person: User) -> None:
        client = Client()
        client.force_login(person)
        client.get(reverse("admin:second_factor"))
        assert by_password(Client()).status_code == 302

    def test_a_superuser_takes_a_lost_one_away(self, person: User) -> None:
        self.turn_on(person)
        act(sign_in(operator=None), person, "no_second_factor", "the telephone was lost")
        assert not TOTPDevice.objects.exists()

    def test_the_key_is_shown_to_nobody_else(self, person: User) -> None:
        device = self.turn_on(person)
        root = sign_in(operator=None)
        page = root.get(reverse("admin:tenants_user_change", args=[person.pk])).content.decode()
        assert device.key not in page
        assert "otp_totp" not in root.get(INDEX).content.decode()


class TestCognito:
    @pytest.fixture
    def pool(self, settings: Settings) -> Iterator[Pool]:
        with pools.running() as running:
            known = identity.Identity(
                pool=pools.POOL, region=pools.REGION, client=CLIENT, domain=running.url,
                endpoint=running.url,
            )  # fmt: skip
            settings.IDENTITY = known
            settings.COGNITO_USER_POOL_ID, settings.COGNITO_REGION = known.pool, known.region
            settings.COGNITO_CLIENT_ID, settings.COGNITO_ENDPOINT = known.client, known.endpoint
            settings.OIDC_RP_CLIENT_ID = known.client
            settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{known.domain}/oauth2/authorize"
            settings.OIDC_OP_TOKEN_ENDPOINT = f"{known.domain}/oauth2/token"
            settings.OIDC_OP_USER_ENDPOINT = f"{known.domain}/oauth2/userInfo"
            settings.OIDC_OP_JWKS_ENDPOINT = f"{known.domain}/.well-known/jwks.json"
            settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "backoffice.cognito.Backend"]
            clear_url_caches()
            yield running

    @pytest.fixture
    def operator(self) -> Operator:
        return OperatorFactory.create(slug="kayaks")

    def begin(self, client: Client) -> dict[str, str]:
        """Be sent to the pool; returns what is asked of it."""
        answer: Any = client.get(reverse("cognito_begin"), {"next": "/admin/catalogue/slot/"})
        assert answer.status_code == 302
        return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}

    def come_back(self, client: Client, pool: Pool, asked: dict[str, str], **claims: Any) -> Any:
        """Come back from the pool with a code for a token."""
        known = {"nonce": asked["nonce"], "cognito:groups": ["holdfast:kayaks:manager"]} | claims
        pool.codes["code"] = {"token": pool.token(**known), "code_challenge": asked["code_challenge"]}
        return client.get(reverse("cognito_callback"), {"code": "code", "state": asked["state"]})

    def test_signs_in(self, pool: Pool, operator: Operator) -> None:
        client = Client()
        assert reverse("cognito_begin") in client.get(LOGIN).content.decode()
        asked = self.begin(client)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["redirect_uri"].endswith("/admin/cognito/callback")
        answer = self.come_back(client, pool, asked)
        assert (answer.status_code, answer["Location"]) == (302, "/admin/catalogue/slot/")
        assert client.get("/admin/catalogue/slot/").status_code == 200
        assert client.session.get_expiry_age() <= 3_600
        assert Member.objects.get().role == Role.MANAGER

    def test_who_has_no_role_is_turned_away(self, pool: Pool, operator: Operator) -> None:
        client = Client()
        answer = self.come_back(client, pool, self.begin(client), **{"cognito:groups": ["other"]})
        assert answer["Location"] == LOGIN
        assert "no role" in client.get(LOGIN).content.decode()
        assert client.get(INDEX).status_code == 302

    @pytest.mark.parametrize(
        "claims",
        [{"nonce": "of another sign-in"}, {"nonce": None}, {"aud": "another-app"}, {"exp": 1}, {"token_use": "access"}],
    )
    def test_a_token_that_is_not_to_be_believed(self, pool: Pool, operator: Operator, claims: dict[str, Any]) -> None:
        client = Client()
        answer = self.come_back(client, pool, self.begin(client), **claims)
        assert answer["Location"] == LOGIN
        assert client.get(INDEX).status_code == 302
        assert not User.objects.exists()

    def test_a_code_of_somebody_elses_sign_in(self, pool: Pool, operator: Operator) -> None:
        """An attacker's code in the victim's browser: the verifier of the victim does not fit."""
        attacker, victim = Client(), Client()
        theirs, mine = self.begin(attacker), self.begin(victim)
        pool.codes["code"] = {"token": pool.token(nonce=mine["nonce"]), "code_challenge": theirs["code_challenge"]}
        answer = victim.get(reverse("cognito_callback"), {"code": "code", "state": mine["state"]})
        assert answer.headers["Location"] == LOGIN
        assert victim.get(INDEX).status_code == 302

    def test_a_state_that_nobody_has_begun_with(self, pool: Pool, operator: Operator) -> None:
        client = Client()
        asked = self.begin(client)
        assert self.come_back(client, pool, asked | {"state": "made-up"}).status_code == 400
        assert client.get(INDEX).status_code == 302

    def test_a_pool_that_does_not_answer(self, pool: Pool, operator: Operator) -> None:
        client = Client()
        asked = self.begin(client)
        pool.is_down = True
        answer = self.come_back(client, pool, asked)
        assert answer["Location"] == LOGIN
        assert "does not answer" in client.get(LOGIN).content.decode()

    def test_is_not_offered_without_a_pool(self) -> None:
        assert "cognito" not in Client().get(LOGIN).content.decode()


class TestPages:
    def test_run_no_script_that_is_not_a_file_of_ours(self, person: User) -> None:
        client = sign_in(operator=None)
        for path in (LOGIN, INDEX, "/admin/booking/reservation/", "/api/v1/docs", "/api/v1/redoc"):
            answer: Any = client.get(path, follow=True)
            policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
            assert "'unsafe-inline'" not in policy["script-src"]
            assert policy["default-src"] == "'none'"
            assert "<script>" not in answer.content.decode().replace("\n", "")

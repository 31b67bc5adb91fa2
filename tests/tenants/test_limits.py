"""A stranger is slowed down, and keeps nobody out."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from common import client_address
from tenants import api_keys, sign_in_limits, strangers
from tenants.models import ApiClient, SignInPlace, User
from tests.support.api import Frontend
from tests.support.factories import SlotFactory

pytestmark = pytest.mark.django_db

HOME, OFFICE = "198.51.100.1", "198.51.100.2"
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def nobody_has_tried(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # what is slow by design is not ours
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tenants_requestcount")
    strangers._used_up.clear()
    strangers._good.clear()


@pytest.fixture
def person() -> User:
    return User.objects.create_user("marta", password=PASSWORD, is_staff=True, is_superuser=True)


def sign_in(address: str, *, password: str = PASSWORD, name: str = "marta", code: str = "") -> Any:
    body = {"username": name, "password": password, "otp_token": code, "next": "/admin/"}
    return Client(REMOTE_ADDR=address).post("/admin/login/", body)


def guess(times: int, *, addresses: int = 1, name: str = "marta", first: int = 1) -> None:
    for number in range(times):
        sign_in(f"10.0.{first}.{number % addresses}", password="x", name=name)


class TestSigningIn:
    def test_ten_wrong_passwords_of_a_stranger_keep_nobody_out(self, person: User) -> None:
        guess(12)
        guess(12, name="MARTA", first=2)
        assert sign_in(HOME).status_code == 302

    def test_one_address_has_to_wait(self, person: User, settings: Settings) -> None:
        settings.LOGIN_RATE = "3/min"
        for number in range(3):
            sign_in(HOME, password="x", name=f"somebody-{number}")
        refused = sign_in(HOME)
        assert (refused.status_code, "Too many tries. Wait" in refused.content.decode()) == (200, True)
        assert sign_in(OFFICE).status_code == 302

    def test_one_name_from_one_address_has_to_wait_longer(self, person: User, settings: Settings) -> None:
        settings.LOGIN_RATE, settings.LOGIN_NAME_RATE = "1000/min", "3/h"
        for _ in range(3):
            sign_in(HOME, password="x")
        assert "Too many tries" in sign_in(HOME, name="Marta ").content.decode()
        assert sign_in(OFFICE).status_code == 302

    def test_many_addresses_meet_a_limit_and_the_person_does_not_where_they_have_been(
        self, person: User, settings: Settings
    ) -> None:
        settings.LOGIN_NAME_RATE = "2/h"
        assert sign_in(HOME).status_code == 302
        guess(40, addresses=20)  # 20 from elsewhere are let through
        assert "Too many tries" in sign_in("10.0.9.9").content.decode()
        assert sign_in(HOME).status_code == 302
        assert SignInPlace.objects.count() == 1

    def test_what_one_address_is_refused_does_not_count_against_the_name(
        self, person: User, settings: Settings
    ) -> None:
        settings.LOGIN_NAME_RATE = "2/h"
        guess(60)
        assert sign_in(HOME).status_code == 302

    def test_codes_of_a_second_factor_likewise(self, person: User, settings: Settings) -> None:
        settings.LOGIN_RATE, settings.LOGIN_NAME_RATE = "1000/min", "5/h"
        device = TOTPDevice.objects.create(user=person, confirmed=True)
        assert sign_in(HOME, code=f"{TOTP(device.bin_key).token():06d}").status_code == 302
        TOTPDevice.objects.update(last_t=-1)
        for number in range(35):  # somebody who has the password
            sign_in(f"10.0.1.{number}", code="000000")
        told = [sign_in("10.0.2.1", code="000000").content.decode() for _ in range(6)]
        assert "Too many tries" in told[-1]
        assert sign_in(HOME, code=f"{TOTP(device.bin_key).token():06d}").status_code == 302

    def test_places_tell_nothing_and_are_forgotten(self, person: User) -> None:
        sign_in(HOME)
        place = SignInPlace.objects.get()
        assert "marta" not in place.mark
        assert HOME not in place.mark
        assert sign_in_limits.forget_old() == 0
        SignInPlace.objects.update(last_at="2026-01-01T00:00Z")
        assert sign_in_limits.forget_old() == 1

    def test_the_page_of_the_second_factor_is_no_place_to_guess(self, person: User, settings: Settings) -> None:
        settings.LOGIN_RATE = "2/min"
        client = Client()
        client.force_login(person)
        wrong = {"password": "x", "code": "000000"}
        told = [client.post("/admin/second-factor/", wrong).content.decode() for _ in range(3)]
        assert ["Too many tries" in text for text in told] == [False, False, True]
        device = TOTPDevice.objects.get()
        right = {"password": PASSWORD, "code": f"{TOTP(device.bin_key).token():06d}"}
        client.post("/admin/second-factor/", right)
        assert not TOTPDevice.objects.get().confirmed


class TestAddress:
    @pytest.mark.parametrize(
        ("hops", "forwarded", "remote", "address"),
        [
            (0, "1.1.1.1", "192.0.2.1", "192.0.2.1"),
            (1, "1.1.1.1", "192.0.2.1", "1.1.1.1"),
            (1, "9.9.9.9, 1.1.1.1", "192.0.2.1", "1.1.1.1"),
            (2, "9.9.9.9, 1.1.1.1, 2.2.2.2", "192.0.2.1", "1.1.1.1"),
            (2, "9.9.9.9", "192.0.2.1", "192.0.2.1"),  # it did not come through both
            (1, "", "192.0.2.1", "192.0.2.1"),
            (1, "a\0b", "192.0.2.1", "192.0.2.1"),
            (1, "x" * 10_000, "192.0.2.1", "192.0.2.1"),
            (1, "1.1.1.1:4711", "192.0.2.1", "1.1.1.1"),
            (1, "[2001:db8::1]:4711", "192.0.2.1", "2001:db8::/64"),
            (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            (0, "", "::ffff:192.0.2.1", "192.0.2.1"),
            (0, "", "", "unknown"),
        ],
    )
    def test_is_taken_from_as_many_hops_as_are_trusted(
        self, settings: Settings, hops: int, forwarded: str, remote: str, address: str
    ) -> None:
        settings.TRUSTED_PROXIES = hops
        assert client_address.find({"HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": remote}) == address


class TestStrangers:
    @pytest.fixture
    def looked_up(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[str]:
        """Return the keys that are looked up from here on."""
        settings.API_RATE = "3/min"
        keys: list[str] = []
        real = api_keys.find_client

        def find(key: str) -> ApiClient | None:
            keys.append(key)
            return real(key)

        monkeypatch.setattr(api_keys, "find_client", find)
        return keys

    @pytest.mark.parametrize("key", ["hf_guessed", "", "hf_\xff"])
    def test_are_refused_before_a_key_is_looked_up(self, looked_up: list[str], key: str) -> None:
        statuses = [Frontend(key).get("slots").status_code for _ in range(6)]
        assert statuses == [401, 401, 401, 429, 429, 429]
        assert len(looked_up) <= 3
        other = Frontend("hf_other")
        assert (other.get("slots").status_code, "hf_other" in looked_up) == (429, False)
        other.http.defaults["REMOTE_ADDR"] = HOME
        assert other.get("slots").status_code == 401

    def test_keep_nobody_out_whose_key_was_good(self, looked_up: list[str]) -> None:
        frontend = Frontend.of(SlotFactory.create())
        assert frontend.get("slots").status_code == 200
        for _ in range(6):
            Frontend("hf_guessed").get("slots")
        assert frontend.get("slots").status_code == 200

    def test_may_come_again_when_the_window_is_over(self, looked_up: list[str]) -> None:
        last = [Frontend("hf_guessed").get("slots") for _ in range(4)][-1]
        assert (last.status_code, 1 <= int(last["Retry-After"]) <= 60) == (429, True)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tenants_requestcount SET ends_at = now()")
        assert Frontend("hf_guessed").get("slots").status_code == 401

    def test_who_write_addresses_of_their_own_are_one(self, looked_up: list[str], settings: Settings) -> None:
        statuses = []
        for number in range(5):
            frontend = Frontend("hf_guessed")
            answer = frontend.http.get("/api/v1/slots", headers={"X-Forwarded-For": f"10.0.0.{number}"})
            statuses.append(answer.status_code)
        assert statuses == [401, 401, 401, 429, 429]

"""Settings: wrong or missing values stop the start, all named at once, and `.env.example` tells of every variable."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dj_database_url
import pytest
from django.conf import settings

from common.addresses import is_near
from config import local_stack
from config import settings as settings_module
from config.env import Environment, with_quoted_password
from tests.support.environment import ROOT, documented

PRODUCTION = {
    "ENV_FILE": "",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUV",
    "DATABASE_URL": "postgresql://holdfast@db/holdfast",
    "STRIPE_API_KEY": "sk_test_x",
    "STRIPE_WEBHOOK_SECRETS": "whsec_x",
}

REAL = "whsec_" + "5WbX1kTzNv9sQf3L" * 2


def read_settings(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process with this environment and no other, by a command if one is named."""
    environment = {"PATH": os.defpath, "DJANGO_SETTINGS_MODULE": "config.settings", **PRODUCTION, **changes}
    return subprocess.run(
        [sys.executable, *(arguments or ("-c", "from django.conf import settings; print(settings.DEBUG)"))],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class TestProduction:
    def test_starts_with_what_it_needs(self) -> None:
        ended = read_settings()
        assert (ended.returncode, ended.stdout.strip()) == (0, "False"), ended.stderr

    def test_starts_with_a_live_key_and_a_secret_of_the_endpoints_own(self) -> None:
        live = {"STRIPE_API_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRETS": REAL}
        for changes in (live, live | {"STRIPE_API_BASE": "https://api.stripe.com"}):
            assert read_settings(**changes).returncode == 0

    def test_starts_an_embedded_database_only_where_it_is_asked_for(self) -> None:
        told = "from django.conf import settings; print(settings.EMBEDDED_POSTGRES_DIR)"
        for url, ends_with in (("embedded", ".data/postgres"), (PRODUCTION["DATABASE_URL"], "None")):
            ended = read_settings("-c", told, DATABASE_URL=url)
            assert ended.stdout.strip().endswith(ends_with), ended.stderr

    @pytest.mark.parametrize(("asked", "found"), [({}, "[]"), ({"DEMO": "true"}, "['tools.demo']")])
    def test_has_no_tool_unless_it_is_asked_for(self, asked: dict[str, str], found: str) -> None:
        told = "from django.conf import settings; print([a for a in settings.INSTALLED_APPS if a.startswith('tools')])"
        ended = read_settings("-c", told, **asked)
        assert ended.stdout.strip() == found, ended.stderr

    def test_every_app_starts_with_redis(self) -> None:
        ended = read_settings("manage.py", "check", REDIS_URL="redis://127.0.0.1:1/0")
        assert ended.returncode == 0, ended.stderr

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"SECRET_KEY": ""}, ["SECRET_KEY"]),
            ({"SECRET_KEY": "short"}, ["SECRET_KEY"]),
            ({"STRIPE_API_KEY": ""}, ["STRIPE_API_KEY"]),
            ({"STRIPE_API_KEY": "pk_test_x"}, ["STRIPE_API_KEY"]),
            ({"STRIPE_WEBHOOK_SECRETS": ""}, ["STRIPE_WEBHOOK_SECRETS"]),
            ({"DEBUG": "perhaps"}, ["DEBUG"]),
            ({"PORT": "http"}, ["PORT"]),
            ({"PORT": "70000"}, ["PORT"]),
            ({"API_RATE": "often"}, ["API_RATE"]),
            ({"DATABASE_URL": "mysql://x/y"}, ["DATABASE_URL"]),
            ({"DATABASE_URL": ""}, ["DATABASE_URL .*embedded"]),
            ({"COMMAND_LEASE_SECONDS": "10"}, ["COMMAND_LEASE_SECONDS"]),
            ({"HOLD_TTL_SECONDS": "7200"}, ["HOLD_CEILING_SECONDS|HOLD_TTL_SECONDS"]),
            ({"STRIPE_API_KEY": "sk_live_x", "STRIPE_API_BASE": "http://127.0.0.1:8001"}, ["STRIPE_API_"]),
            ({"STRIPE_API_KEY": "sk_live_x"}, ["STRIPE_WEBHOOK_SECRETS"]),
            ({"STRIPE_API_KEY": "rk_live_x", "STRIPE_WEBHOOK_SECRETS": f"{REAL},whsec_"}, ["STRIPE_WEBHOOK_SECRETS"]),
            (
                {"STRIPE_API_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRETS": f"whsec_{'x' * 32}"},
                ["STRIPE_WEBHOOK_SECRETS"],
            ),
            (
                {"STRIPE_API_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRETS": "whsec_" + "replaceThisPlaceholder0123"},
                ["STRIPE_WEBHOOK_SECRETS"],
            ),
            ({"MAIL_BACKEND": "pigeon"}, ["MAIL_BACKEND"]),
            ({"MAIL_BACKEND": "smtp"}, ["MAIL_HOST", "MAIL_FROM"]),
            ({"MAIL_BACKEND": "ses", "MAIL_FROM": "a@example.com"}, ["AWS_REGION"]),
            ({"MAIL_BACKEND": "sendgrid", "MAIL_FROM": "a@example.com"}, ["SENDGRID_API_KEY"]),
            ({"SECRET_KEY": "", "PORT": "x", "LOG_LEVEL": "LOUD"}, ["SECRET_KEY", "PORT", "LOG_LEVEL"]),
        ],
    )
    def test_stops_and_names_what_is_wrong(self, changes: dict[str, str], named: list[str]) -> None:
        ended = read_settings(**changes)
        assert ended.returncode != 0
        for name in named:
            assert re.search(name, ended.stderr), ended.stderr
        for value in changes.values():
            assert not (len(value) > 8 and value in ended.stderr), "a value may be a secret"


class TestExample:
    def test_documents_every_variable_and_no_other(self) -> None:
        assert documented() == settings_module.env.names

    def test_its_defaults_are_the_real_ones(self) -> None:
        lines = (ROOT / ".env.example").read_text().splitlines()
        given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        assert int(given["HOLD_TTL_SECONDS"]) == settings.HOLD_TTL_SECONDS
        assert int(given["RECONCILE_AFTER_SECONDS"]) == settings.RECONCILE_AFTER_SECONDS
        assert int(given["IDEMPOTENCY_TTL_SECONDS"]) == settings.IDEMPOTENCY_TTL_SECONDS


class TestNear:
    @pytest.mark.parametrize(
        ("url", "near"),
        [
            ("http://127.0.0.1:8001", True),
            ("http://sandbox:8001", True),
            ("http://10.0.0.3", True),
            ("http://stripe.internal", True),
            ("https://api.stripe.com", False),
            ("http://8.8.8.8", False),
        ],
    )
    def test_tells_this_machine_and_its_network_from_the_rest(self, url: str, near: bool) -> None:
        assert is_near(url) is near


class TestDatabaseUrl:
    @pytest.mark.parametrize(
        ("url", "password"),
        [
            ("postgresql://holdfast:plain@db:5432/holdfast", "plain"),
            ("postgresql://holdfast:p@ss/w:rd#1?%@db:5432/holdfast", "p@ss/w:rd#1?%"),
            ("postgres://holdfast:p%40ss%2Fw@db:5432/holdfast", "p@ss/w"),
            ("postgresql://holdfast:a:b@db:5432/holdfast?sslmode=require", "a:b"),
            ("postgresql://holdfast:[x]@db:5432/holdfast", "[x]"),
        ],
    )
    def test_has_its_password_as_it_is_or_quoted(
        self, url: str, password: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", url)
        env = Environment(tmp_path / "none")
        read = dj_database_url.parse(env.database_url("DATABASE_URL"))
        assert env.problems == []
        assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"], read["NAME"]) == (
            "holdfast", password, "db", 5432, "holdfast"
        )  # fmt: skip

    def test_without_a_password_stays_as_it_is(self) -> None:
        for url in ("postgresql://holdfast@%2Ftmp%2Fx/holdfast", "postgresql://db/holdfast", "mysql://a:b@c/d", ""):
            assert with_quoted_password(url) == url


class TestLocalStack:
    @pytest.fixture
    def root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        for name in documented() | {"ENV_FILE"}:
            monkeypatch.delenv(name, raising=False)
        (tmp_path / ".data").mkdir()
        (tmp_path / ".data/env").write_text("# of the stack\nSECRET_KEY=its\nPORT=8003\n")
        return tmp_path

    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        before = dict(os.environ)
        yield
        os.environ.clear()
        os.environ.update(before)

    @pytest.mark.parametrize("own", [None, "SECRET_KEY=\nDEBUG=false\n", "DEBUG=true\nSECRET_KEY=mine\n"])
    def test_is_adopted_on_a_developers_machine(self, root: Path, own: str | None) -> None:
        if own is not None:
            (root / ".env").write_text(own)
        assert local_stack.adopt(root)
        assert (os.environ["SECRET_KEY"], os.environ["PORT"]) == ("its", "8003")

    @pytest.mark.parametrize("own", ["SECRET_KEY=mine\n", "DEBUG=false\nSTRIPE_API_KEY=sk_live_x\n"])
    def test_is_not_where_a_file_tells_of_an_installation(self, root: Path, own: str) -> None:
        (root / ".env").write_text(own)
        assert not local_stack.adopt(root)
        assert "PORT" not in os.environ

    @pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "ENV_FILE", "AWS_SECRETS_ID"])
    def test_is_not_where_the_environment_does(self, root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(name, "")
        assert not local_stack.adopt(root)
        assert "PORT" not in os.environ

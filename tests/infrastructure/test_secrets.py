"""Secrets from AWS Secrets Manager, against a stand-in over HTTP: read once, and taken over when they are rotated."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import settings as django_settings
from django.core import signing
from django.core.mail import get_connection
from django.db import connections
from django_q.conf import Conf
from django_q.signing import SignedPackage
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from backoffice import cognito
from common import secrets
from common.postgresql.base import DatabaseWrapper
from common.secrets import Secrets
from config import databases, mail, rotation
from config.env import Environment
from config.secrets import RepositoryAws, SecretsError
from notifications import sending
from payments.providers import registry
from tests.support import providers, stripe_events
from tests.support.environment import ROOT, VALUES
from tests.support.servers import database_url

NAME = "holdfast/production"
KEYS = {
    "SECRET_KEY": "from-aws-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "STRIPE_API_KEY": "sk_test_fromaws",
    "STRIPE_WEBHOOK_SECRETS": "whsec_fromaws",
}


class Aws:
    """Secrets Manager, as its owner sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: Any = boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url=url)

    def put(self, text: str) -> None:
        """Have the secret hold a text, under a new version."""
        try:
            self._client.put_secret_value(SecretId=NAME, SecretString=text)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_secret(Name=NAME, SecretString=text)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run the stand-in."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    running.stop()


@pytest.fixture
def aws(server: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Have credentials, and a secret."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server,
        "AWS_REGION": "eu-west-1", "AWS_SECRETS_ID": NAME,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    made = Aws(server)
    made.put(json.dumps(KEYS))
    return made


def read(*names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start anew as in production, and print some settings."""
    code = (
        "from config import settings; "
        f"print(*[getattr(settings, name, None) or settings.SECRETS.current(name) for name in {names!r}], sep='|')"
    )
    keep = {name: value for name, value in os.environ.items() if name not in VALUES} | {"ENV_FILE": ""}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=keep | environment, capture_output=True, text=True, check=False
    )


class TestReading:
    def test_a_start_needs_nothing_but_the_secret(self, aws: Aws) -> None:
        ended = read("STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS", "SECRETS_REFRESHER")
        assert ended.stdout.strip() == "sk_test_fromaws|whsec_fromaws|config.rotation.refresh", ended.stderr

    def test_the_environment_wins_over_it_and_it_over_the_file(self, aws: Aws, tmp_path: Path) -> None:
        file = tmp_path / "env"
        file.write_text("STRIPE_API_KEY=sk_test_fromfile\nAPI_RATE=7/min\n")
        ended = read("STRIPE_API_KEY", "API_RATE", ENV_FILE=str(file))
        assert ended.stdout.strip() == "sk_test_fromaws|7/min", ended.stderr
        ended = read("STRIPE_API_KEY", ENV_FILE=str(file), STRIPE_API_KEY="sk_test_fromprocess")
        assert ended.stdout.strip() == "sk_test_fromprocess", ended.stderr

    @pytest.mark.parametrize(
        ("text", "why"), [("sk_live_x not JSON", "It is not JSON"), ('["sk_live_x"]', "It is not a JSON object")]
    )
    def test_what_it_must_not_be_is_told_without_what_is_in_it(self, aws: Aws, text: str, why: str) -> None:
        aws.put(text)
        ended = read("PORT")
        assert ended.returncode != 0
        assert f"AWS_SECRETS_ID names a secret that cannot be used: {why}" in ended.stderr
        assert "sk_live_x" not in ended.stderr + ended.stdout

    @pytest.mark.parametrize(
        ("environment", "why"),
        [
            ({"AWS_SECRETS_ID": "holdfast/unknown"}, "AWS refuses it (ResourceNotFoundException)"),
            ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS cannot be asked (EndpointConnectionError)"),
            ({"AWS_REGION": ""}, "AWS cannot be asked (NoRegionError)"),
        ],
    )
    def test_one_that_cannot_be_had_stops_the_start(self, aws: Aws, environment: dict[str, str], why: str) -> None:
        assert why in read("PORT", **environment).stderr


class TestRotating:
    @pytest.fixture
    def running(self, aws: Aws, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Aws:
        """Be a process that was started with the secret, whose time is over at once."""
        for name in KEYS:
            monkeypatch.delenv(name, raising=False)
        settings.ENVIRONMENT = env = Environment(Path("none"))
        monkeypatch.setattr(env.secrets, "_lifetime", 0)
        settings.SECRETS = known = Secrets(env.secret, defaults={})
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = known.following("SECRET_KEY"), known.retired_signing_keys
        settings.SECRETS_REFRESHER = "config.rotation.refresh"
        return aws

    @pytest.mark.django_db(transaction=True)
    def test_a_rotated_webhook_secret_is_in_use_without_a_restart(self, running: Aws) -> None:
        body = b"{}"
        new = stripe_events.sign(body, secret="whsec_new")
        assert stripe_events.post(body, new).json()["error"]["code"] == "invalid_signature"
        running.put(
            json.dumps(KEYS | {"STRIPE_WEBHOOK_SECRETS": "whsec_new,whsec_fromaws", "STRIPE_API_KEY": "sk_test_new"})
        )
        rotation.refresh()
        assert secrets.current_list("STRIPE_WEBHOOK_SECRETS") == ["whsec_new", "whsec_fromaws"]
        event = {"id": "evt_1", "type": "x.y", "livemode": False, "created": 1, "data": {"object": {}}}
        assert stripe_events.deliver(event, secret="whsec_new").status_code == 200

    def test_a_rotated_key_of_the_provider_is_called_with(self, running: Aws, settings: Settings) -> None:
        providers.configure(settings, api_base="")
        before = registry.get("stripe")
        running.put(json.dumps(KEYS | {"STRIPE_API_KEY": "sk_test_new", "STRIPE_KAYAKS_API_KEY": "sk_test_kayaks"}))
        rotation.refresh()
        assert secrets.current("STRIPE_KAYAKS_API_KEY") == "sk_test_kayaks"
        assert secrets.current("STRIPE_API_KEY") == "sk_test_new"
        assert registry.get("stripe") is not before, "it keeps the key that it was made with"
        registry.get.cache_clear()

    @pytest.mark.django_db(transaction=True)
    def test_a_rotated_database_password_is_of_new_connections(
        self, running: Aws, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connection, url = connections["default"], database_url()
        made = databases.databases(
            url, current_url=partial(settings.SECRETS.current, "DATABASE_URL"), pool_size=0, pool_timeout_seconds=1,
            prepare=False, startup_options={},
        )  # fmt: skip
        monkeypatch.setitem(connection.settings_dict, "CURRENT_ADDRESS", made["default"]["CURRENT_ADDRESS"])
        monkeypatch.delenv("DATABASE_URL")
        closed: list[str] = []
        monkeypatch.setattr(DatabaseWrapper, "close_pool", lambda self: closed.append(self.alias))
        before, known = connection.get_connection_params(), dict(connection.settings_dict)
        running.put(json.dumps(KEYS | {"DATABASE_URL": url.replace("@", ":ch@ng/ed@", 1)}))
        rotation.refresh()
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert connection.get_connection_params() == before | {"password": "ch@ng/ed"}
        assert connection.settings_dict == known
        assert closed == ["default"], "its connections were made with the old one"

    def test_a_rotated_key_keeps_what_the_old_one_signed(self, running: Aws) -> None:
        new = "rotated-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ"
        signed, queued = signing.dumps("mine"), SignedPackage.dumps("task")
        running.put(json.dumps(KEYS | {"SECRET_KEY": new}))
        rotation.refresh()
        assert signing.loads(signing.dumps("mine"), key=new, fallback_keys=[]) == "mine"
        assert signing.loads(signed) == "mine"
        assert SignedPackage.loads(queued) == SignedPackage.loads(SignedPackage.dumps("task")) == "task"
        assert [KEYS["SECRET_KEY"]] == django_settings.SECRET_KEY_FALLBACKS

    def test_the_queue_signs_as_the_process_began(self) -> None:
        """A worker's process that reads no secrets anew could not read what another signs with a newer key."""
        assert (type(Conf.SECRET_KEY), Conf.SECRET_KEY) == (str, VALUES["SECRET_KEY"])

    @pytest.mark.django_db
    def test_rotated_passwords_are_used_for_mails_and_at_the_pool(
        self, running: Aws, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: list[dict[str, str]] = []

        def connect(**options: Any) -> Any:
            given.append(options)
            return get_connection()

        monkeypatch.setattr(sending, "get_connection", connect)
        running.put(json.dumps(KEYS | {"MAIL_PASSWORD": "m", "SENDGRID_API_KEY": "s", "COGNITO_CLIENT_SECRET": "c"}))
        rotation.refresh()
        for way in ("SMTP", "SENDGRID", "SES"):
            settings.EMAIL_SECRETS = mail.SECRETS.get(way, {})
            sending.send_due()
        assert given == [{"fail_silently": False} | more for more in ({"password": "m"}, {"api_key": "s"}, {})]
        assert cognito.Backend().OIDC_RP_CLIENT_SECRET == "c"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"STRIPE_API_KEY": "pk_public"},
            {"STRIPE_API_KEY": "sk_live_other_mode"},
            {"SECRET_KEY": "short"},
            {"STRIPE_WEBHOOK_SECRETS": "whsec_new,other"},
        ],
    )
    def test_one_that_is_wrong_changes_nothing_and_is_not_told(
        self, running: Aws, caplog: pytest.LogCaptureFixture, wrong: dict[str, str]
    ) -> None:
        running.put(json.dumps(KEYS | {"STRIPE_WEBHOOK_SECRETS": "whsec_new", "STRIPE_KAYAKS_API_KEY": "new"} | wrong))
        with caplog.at_level(logging.INFO):
            rotation.refresh()
            rotation.refresh()
        assert {name: secrets.current(name) for name in KEYS} == KEYS
        assert secrets.current("STRIPE_KAYAKS_API_KEY") == "", "none of them is used"
        assert django_settings.SECRET_KEY_FALLBACKS == []
        assert caplog.text.count("the old ones stay") == 1
        assert next(iter(wrong.values())) not in caplog.text

    def test_aws_that_does_not_answer_changes_nothing(self, running: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        rotation.refresh()
        assert {name: secrets.current(name) for name in KEYS} == KEYS

    def test_settings_are_not_changed(self, running: Aws) -> None:
        before = {name: getattr(django_settings, name) for name in dir(django_settings) if name.isupper()}
        kept = {name: repr(value) for name, value in before.items() if not name.startswith("SECRET")}
        running.put(json.dumps(KEYS | {"STRIPE_API_KEY": "sk_test_new", "MAIL_PASSWORD": "new"}))
        rotation.refresh()
        assert secrets.current("STRIPE_API_KEY") == "sk_test_new"
        assert all(getattr(django_settings, name) is value for name, value in before.items())
        assert {name: repr(getattr(django_settings, name)) for name in kept} == kept


def test_it_is_read_once_while_it_is_young(aws: Aws) -> None:
    repository = RepositoryAws(secret_id=NAME, region="eu-west-1", lifetime_seconds=3600)
    aws.put("not JSON any more")
    assert repository.fetch_newer() is None
    assert repository["STRIPE_API_KEY"] == "sk_test_fromaws"
    assert "NOT_THERE" not in repository
    with pytest.raises(SecretsError):
        RepositoryAws(secret_id=NAME, region="eu-west-1", lifetime_seconds=3600)

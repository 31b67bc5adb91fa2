"""Secrets from AWS Secrets Manager, against a stand-in over HTTP: read once, and taken over when they are rotated."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.conf import settings as django_settings
from django.db import connections
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from config import rotation
from config.env import Environment
from config.secrets import RepositoryAws, SecretsError
from tests.support import stripe_events
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
    code = f"from config import settings; print(*[getattr(settings, name) for name in {names!r}], sep='|')"
    keep = {name: value for name, value in os.environ.items() if name not in VALUES} | {"ENV_FILE": ""}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=keep | environment, capture_output=True, text=True, check=False
    )


class TestReading:
    def test_a_start_needs_nothing_but_the_secret(self, aws: Aws) -> None:
        ended = read("STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS", "SECRETS_REFRESHER")
        assert ended.stdout.strip() == "sk_test_fromaws|['whsec_fromaws']|config.rotation.refresh", ended.stderr

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
        monkeypatch.setenv("AWS_SECRETS_REFRESH_SECONDS", "1")
        for name in (*KEYS, "SECRET_KEY_FALLBACKS", "EMAIL_HOST_PASSWORD", "ANYMAIL"):
            setattr(settings, name, getattr(settings, name))  # put back after the test
        settings.ENVIRONMENT = Environment(Path("none"))
        settings.SECRETS_REFRESHER = "config.rotation.refresh"
        settings.STRIPE_WEBHOOK_SECRETS = [KEYS["STRIPE_WEBHOOK_SECRETS"]]
        settings.STRIPE_API_KEY, settings.SECRET_KEY = KEYS["STRIPE_API_KEY"], KEYS["SECRET_KEY"]
        return aws

    @pytest.mark.django_db(transaction=True)
    def test_a_rotated_webhook_secret_is_in_use_without_a_restart(self, running: Aws) -> None:
        body = b"{}"
        new = stripe_events.sign(body, secret="whsec_new")
        assert stripe_events.post(body, new).json()["error"]["code"] == "invalid_signature"
        running.put(
            json.dumps(KEYS | {"STRIPE_WEBHOOK_SECRETS": "whsec_new,whsec_fromaws", "STRIPE_API_KEY": "sk_test_new"})
        )
        time.sleep(1.1)
        rotation.refresh()
        assert django_settings.STRIPE_WEBHOOK_SECRETS == ["whsec_new", "whsec_fromaws"]
        assert django_settings.STRIPE_API_KEY == "sk_test_new"
        event = {"id": "evt_1", "type": "x.y", "livemode": False, "created": 1, "data": {"object": {}}}
        assert stripe_events.deliver(event, secret="whsec_new").status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_a_rotated_database_password_is_of_new_connections(
        self, running: Aws, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known = connections["default"].settings_dict
        monkeypatch.setitem(known, "PASSWORD", known["PASSWORD"])  # put back after the test
        settings.DATABASE_URL = database_url()
        monkeypatch.delenv("DATABASE_URL")
        running.put(json.dumps(KEYS | {"DATABASE_URL": database_url().replace("@", ":changed@", 1)}))
        time.sleep(1.1)
        rotation.refresh()
        connections["default"].close()
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        assert connections["default"].get_connection_params()["password"] == "changed"

    def test_a_rotated_key_keeps_what_the_old_one_signed(self, running: Aws) -> None:
        new = "rotated-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ"
        running.put(json.dumps(KEYS | {"SECRET_KEY": new}))
        time.sleep(1.1)
        rotation.refresh()
        assert new == django_settings.SECRET_KEY
        assert [KEYS["SECRET_KEY"]] == django_settings.SECRET_KEY_FALLBACKS

    def test_one_that_is_wrong_changes_nothing_and_is_not_told(
        self, running: Aws, caplog: pytest.LogCaptureFixture
    ) -> None:
        running.put(json.dumps(KEYS | {"STRIPE_API_KEY": "pk_public", "STRIPE_WEBHOOK_SECRETS": "whsec_new"}))
        time.sleep(1.1)
        with caplog.at_level(logging.INFO):
            rotation.refresh()
        assert django_settings.STRIPE_WEBHOOK_SECRETS == ["whsec_fromaws"]
        assert "the old ones stay" in caplog.text
        assert "pk_public" not in caplog.text

    def test_aws_that_does_not_answer_changes_nothing(self, running: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        time.sleep(1.1)
        rotation.refresh()
        assert django_settings.STRIPE_WEBHOOK_SECRETS == ["whsec_fromaws"]


def test_it_is_read_once_while_it_is_young(aws: Aws) -> None:
    repository = RepositoryAws(secret_id=NAME, region="eu-west-1", lifetime_seconds=3600)
    aws.put("not JSON any more")
    assert not repository.refresh()
    assert repository["STRIPE_API_KEY"] == "sk_test_fromaws"
    assert "NOT_THERE" not in repository
    with pytest.raises(SecretsError):
        RepositoryAws(secret_id=NAME, region="eu-west-1", lifetime_seconds=3600)

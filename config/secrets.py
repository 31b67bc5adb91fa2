"""Secrets from AWS Secrets Manager, as one more place that python-decouple reads from.

One secret holds a JSON object of variables by name. It is fetched once, and again when it is older than its time; what
cannot be fetched then stays as it was. https://docs.aws.amazon.com/secretsmanager/latest/userguide/intro.html
"""

import json
import logging
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from decouple import RepositoryEmpty

logger = logging.getLogger("holdfast.secrets")

_TIMEOUTS = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 2})


class SecretsError(Exception):
    """The secret cannot be had, or is not what it must be. The message never tells what is in it."""


class RepositoryAws(RepositoryEmpty):  # type: ignore[misc]  # decouple has no types
    """The variables of one secret."""

    def __init__(self, *, secret_id: str, region: str, lifetime_seconds: float) -> None:
        self._secret_id = secret_id
        self._region = region
        self._lifetime = lifetime_seconds
        self._values, self._version = self._fetch()
        self._read_at = time.monotonic()

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def refresh(self) -> bool:
        """Fetch the secret again if it is old; says whether it has changed. A failure is logged and changes nothing."""
        if time.monotonic() - self._read_at < self._lifetime:
            return False
        self._read_at = time.monotonic()  # also after a failure: it is tried again after the same time
        try:
            values, version = self._fetch()
        except SecretsError as error:
            logger.warning(
                "The secrets could not be read again; those that are known stay.", extra={"error": str(error)}
            )
            return False
        changed = version != self._version
        self._values, self._version = values, version
        return changed

    def _fetch(self) -> tuple[dict[str, str], str]:
        try:
            # A client of its own each time: credentials and sockets do not outlive a fork by it.
            client = boto3.client("secretsmanager", region_name=self._region or None, config=_TIMEOUTS)
            answer: Any = client.get_secret_value(SecretId=self._secret_id)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            raise SecretsError(f"AWS refuses it ({code}).") from error
        except BotoCoreError as error:
            raise SecretsError(f"AWS cannot be asked ({type(error).__name__}).") from error
        return _read(answer.get("SecretString")), str(answer["VersionId"])


def _read(text: str | None) -> dict[str, str]:
    try:
        values = json.loads(text or "")
    except ValueError:
        raise SecretsError("It is not JSON.") from None  # what json says has the text in it
    if not isinstance(values, dict) or not all(isinstance(value, str | int) for value in values.values()):
        raise SecretsError("It is not a JSON object of texts.")
    return {name: str(value) for name, value in values.items()}

"""Secrets from AWS Secrets Manager, as a source of python-decouple.

One secret holds a JSON object of variables by name. It is fetched once, and again when it is older than its time; what
cannot be fetched then stays as it was. https://docs.aws.amazon.com/secretsmanager/latest/userguide/intro.html
"""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from decouple import RepositoryEmpty

logger = logging.getLogger("holdfast.secrets")

_TIMEOUTS = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 2})


class SecretsError(Exception):
    """The secret cannot be read, or is invalid.

    The message never tells what is in it.
    """


Contents = Mapping[str, str]
"""The variables that a secret holds."""


class RepositoryAws(RepositoryEmpty):  # type: ignore[misc]  # decouple has no types
    """The variables of one secret."""

    def __init__(self, *, secret_id: str, region: str, lifetime_seconds: float) -> None:
        self._secret_id = secret_id
        self._region = region
        self._lifetime = lifetime_seconds
        self._contents, self._version = self._fetch()
        self._read_at = time.monotonic()

    def __contains__(self, name: str) -> bool:
        return name in self._contents

    def __getitem__(self, name: str) -> str:
        return self._contents[name]

    def fetch_newer(self) -> Contents | None:
        """Fetch the secret again if it is old; None if unchanged.

        None also if it cannot be had.

        What is returned is not in use before :meth:`adopt`, and is not returned again. A failure is logged.
        """
        if time.monotonic() - self._read_at < self._lifetime:
            return None
        self._read_at = time.monotonic()  # also after a failure: it is tried again after the same time
        try:
            contents, version = self._fetch()
        except SecretsError as error:
            logger.warning(
                "The secrets could not be read again; those that are known stay.", extra={"error": str(error)}
            )
            return None
        changed = version != self._version
        self._version = version
        return contents if changed else None

    def adopt(self, contents: Contents) -> None:
        """Put other contents in use."""
        self._contents = contents

    def _fetch(self) -> tuple[Contents, str]:
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


def _read(text: str | None) -> Contents:
    try:
        values = json.loads(text or "")
    except ValueError:
        raise SecretsError("It is not JSON.") from None  # what json says has the text in it
    if not isinstance(values, dict) or not all(isinstance(value, str | int) for value in values.values()):
        raise SecretsError("It is not a JSON object of texts.")
    return {name: str(value) for name, value in values.items()}

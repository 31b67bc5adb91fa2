"""What tests of proofs and of forged events share."""

from collections.abc import Iterator

import pytest

from payments import credentials
from tests.support.sandbox_client import Sandbox


@pytest.fixture
def own_secrets(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have two sets of secrets of operators' own in the environment, and nothing remembered of operators."""
    for name in ("EVIL", "OWN"):
        monkeypatch.setenv(f"STRIPE_{name}_API_KEY", f"sk_test_{name.lower()}")
        monkeypatch.setenv(f"STRIPE_{name}_WEBHOOK_SECRETS", f"whsec_{name.lower()}")
    credentials.forget()
    yield
    credentials.forget()

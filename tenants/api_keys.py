"""API keys: made once, shown once, stored as a hash, revocable."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from common.compiled import Compiled
from tenants.models import ApiClient, Operator, Scope

PREFIX = "hf_"
_SHOWN = 10


def issue(*, operator: Operator, name: str, scopes: Sequence[Scope]) -> tuple[ApiClient, str]:
    """Make an API client and return it with its key, once."""
    key = PREFIX + secrets.token_urlsafe(32)
    client = ApiClient.objects.create(
        operator=operator,
        name=name,
        key_prefix=key[:_SHOWN],
        key_hash=hash_key(key),
        scopes=[scope.value for scope in scopes],
    )
    return client, key


def revoke(*, client: ApiClient, now: datetime) -> None:
    """Revoke a key; requests with it are refused from the commit on."""
    ApiClient.objects.filter(pk=client.pk, revoked_at=None).update(revoked_at=now)


def find_client(key: str) -> ApiClient | None:
    """Find the live client of a key, with its operator."""
    return _LIVE.first(key_hash=hash_key(key))


_LIVE = Compiled(
    lambda key_hash: ApiClient.objects.select_related("operator").filter(
        key_hash=key_hash, revoked_at=None, operator__is_active=True
    )[:1],
    key_hash=str,
)


def hash_key(key: str) -> str:
    """Hash a key.

    Plain SHA-256 is right for 256 random bits: there is nothing to guess.
    """
    return hashlib.sha256(key.encode()).hexdigest()

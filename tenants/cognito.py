"""ID tokens of an AWS Cognito user pool: signer, audience and expiry.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
Google and other providers sign in through the pool, so that there is one issuer.
"""

import logging
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
import requests
from django.conf import settings

from common import database, text_intake
from common.errors import HoldfastError, UnavailableError

logger = logging.getLogger("holdfast.cognito")

SKEW_SECONDS = 60
"""How far two clocks may differ."""
KEYS_SECONDS = 300
"""How long the pool's keys are believed before they are read again: a key taken away there is refused here by then."""
_RETRY_SECONDS = 10
"""The least time between two readings of the keys, so that tokens with made-up keys cost the pool nothing."""
_TIMEOUT = (3, 5)
LONGEST_SUB = 64
_CLAIMS = ["exp", "iat", "iss", "aud", "sub", "token_use"]


class TokenError(Exception):
    """A token is not valid; the message says why, without the token."""


class IdentityUnavailableError(UnavailableError):
    """The pool's keys cannot be read, and the token's is not cached."""

    code = "identity_unavailable"

    def __init__(self) -> None:
        super().__init__("Your identity cannot be verified at this moment. Try again.")


@dataclass(slots=True)
class Keys:
    """The public keys of a pool, cached by id.

    They are read when needed, and used on while they cannot be read again.
    """

    url: str
    _known: dict[str, jwt.PyJWK] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _failed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, kid: str) -> jwt.PyJWK:
        """Return the key of an id.

        Raises:
            TokenError: The pool has no such key.
            IdentityUnavailableError: It is not known here, and the pool cannot be asked.
        """
        now = time.monotonic()
        is_old = now - self._read_at > KEYS_SECONDS
        if (is_old or kid not in self._known) and now - self._tried_at > _RETRY_SECONDS:
            self._read()
        key = self._known.get(kid)
        if key is None and self._failed:
            raise IdentityUnavailableError
        if key is None:
            raise TokenError("The user pool does not have its signing key.")
        return key

    def _read(self) -> None:
        """Read the keys; one thread does, and the others go on with what is known, unless nothing is."""
        if not self._lock.acquire(blocking=not self._known):
            return
        try:
            if time.monotonic() - self._tried_at <= _RETRY_SECONDS:
                return  # another one has, while we waited
            database.leave_database()
            answer = requests.get(self.url, timeout=_TIMEOUT)
            answer.raise_for_status()
            self._known = {str(key.key_id): key for key in jwt.PyJWKSet.from_dict(answer.json()).keys}
            self._read_at, self._failed = time.monotonic(), False
        except (requests.RequestException, ValueError, jwt.PyJWTError) as error:
            self._failed = True
            logger.warning("The user pool's keys could not be read.", extra={"error": type(error).__name__})
        finally:
            self._tried_at = time.monotonic()
            self._lock.release()


@cache
def keys_of(url: str) -> Keys:
    """Return the keys of a pool, cached for the process."""
    return Keys(url)


def issuer() -> str:
    """Return who signs: the pool, by its name."""
    return f"{_service()}/{settings.COGNITO_USER_POOL_ID}"


def _service() -> str:
    return f"https://cognito-idp.{settings.COGNITO_REGION}.amazonaws.com"


def looks_like_token(text: str) -> bool:
    """Tell a token from an API key, which has no dots."""
    return text.count(".") == 2


def verify(token: str, *, audiences: Collection[str], nonce: str | None = None) -> dict[str, Any]:
    """Return the claims of a verified ID token.

    It must be from our pool, for one of our clients, and not expired.

    ``audiences`` are the app clients that are ours; ``nonce`` is what a sign-in began with.

    Raises:
        TokenError: It is not; the message says in what.
        IdentityUnavailableError: That cannot be found out now.
    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise TokenError("It is malformed.") from error
    if not isinstance(kid, str):
        raise TokenError("It does not name its signing key.")
    base = settings.COGNITO_ENDPOINT or _service()
    key = keys_of(f"{base}/{settings.COGNITO_USER_POOL_ID}/.well-known/jwks.json").get(kid)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=list(audiences),
            issuer=issuer(),
            leeway=SKEW_SECONDS,
            options={"require": _CLAIMS},
        )
    except jwt.PyJWTError as error:
        raise TokenError(_reason(error)) from error
    if claims["token_use"] != "id":  # noqa: S105  # a kind, not a secret
        raise TokenError("It is not an ID token.")
    if nonce is not None and claims.get("nonce") != nonce:
        raise TokenError("It belongs to another sign-in.")
    _check_text(claims)
    return claims


def _check_text(claims: dict[str, Any]) -> None:
    """Refuse claims that no row of ours can hold; people choose some of them themselves."""
    try:
        text_intake.check_json(claims)
        text_intake.check(str(claims["sub"]), param="sub", longest=LONGEST_SUB)
    except HoldfastError as error:
        raise TokenError("One of its claims is not valid text.") from error


def _reason(error: jwt.PyJWTError) -> str:
    reasons: dict[type[Exception], str] = {
        jwt.ExpiredSignatureError: "It has expired.",
        jwt.InvalidAudienceError: "It is for another app client.",
        jwt.InvalidIssuerError: "It is from another user pool.",
        jwt.InvalidAlgorithmError: "It is not signed with RS256.",
        jwt.MissingRequiredClaimError: "It lacks a claim.",
    }
    return reasons.get(type(error), "Its signature is wrong.")

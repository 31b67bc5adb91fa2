"""Stripe's webhook signature: HMAC-SHA256 over the time and the raw body. https://docs.stripe.com/webhooks#verify-manually

Stricter than the SDK's check, which takes times to come, and numbers that Python reads and Stripe never writes.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from payments.providers.errors import InvalidSignatureError
from payments.providers.notifications import DeliveredRequest

_TIMESTAMP = re.compile(r"t=([0-9]{1,12})")
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})")
_MAX_SIGNATURES = 16


def verify(*, request: DeliveredRequest, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
    """Verify a delivery; any one of ``secrets`` may have signed it (rotation).

    Raises:
        InvalidSignatureError: No, wrong, malformed or stale signature, or one from a time to come.
    """
    timestamp, signatures = check_headers(headers=request.headers, now=now, tolerance=tolerance)
    signed = b"%d.%s" % (timestamp, request.body)
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures):
        raise InvalidSignatureError("No signature matches the body.")


def check_headers(*, headers: Mapping[str, str], now: datetime, tolerance: timedelta) -> tuple[int, list[str]]:
    """Return the time and the signatures of a delivery; needs no body.

    Raises:
        InvalidSignatureError: They are missing or malformed, stale, or from a time to come.
    """
    timestamp, signatures = _parse(headers.get("Stripe-Signature", ""))
    if abs(now.timestamp() - timestamp) > tolerance.total_seconds():
        raise InvalidSignatureError("The signature's time is too far from now.")
    return timestamp, signatures


def _parse(header: str) -> tuple[int, list[str]]:
    parts = header.split(",", _MAX_SIGNATURES)
    times = [found[1] for part in parts if (found := _TIMESTAMP.fullmatch(part))]
    signatures = [found[1] for part in parts if (found := _SIGNATURE.fullmatch(part))]
    if len(times) != 1 or not signatures:
        raise InvalidSignatureError("The Stripe-Signature header is missing or malformed.")
    return int(times[0]), signatures

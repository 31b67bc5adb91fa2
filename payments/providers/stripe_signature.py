"""Stripe's webhook signature: HMAC-SHA256 over the time and the raw body. https://docs.stripe.com/webhooks#verify-manually

Stricter than the SDK's check, which takes times to come, and numbers that Python reads and Stripe never writes.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from payments.providers import stripe_objects
from payments.providers.base import DeliveredRequest, InvalidSignatureError, Notification

_TIMESTAMP = re.compile(r"t=([0-9]{1,12})")
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})")
_MAX_SIGNATURES = 16


def verify(*, request: DeliveredRequest, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
    """Verify a delivery; any one of ``secrets`` may have signed it (rotation).

    Raises:
        InvalidSignatureError: No, wrong, malformed or stale signature, or one from a time to come.
    """
    timestamp, signatures = _parse(request.headers.get("Stripe-Signature", ""))
    if abs(now - datetime.fromtimestamp(timestamp, UTC)) > tolerance:
        raise InvalidSignatureError("The signature's time is too far from now.")
    signed = b"%d.%s" % (timestamp, request.body)
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures):
        raise InvalidSignatureError("No signature matches the body.")


def notification(body: bytes) -> Notification:
    """Read the body of a verified delivery.

    Raises:
        InvalidSignatureError: It is not an event.
    """
    try:
        return stripe_objects.notification(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidSignatureError("The body is not an event.") from error


def _parse(header: str) -> tuple[int, list[str]]:
    parts = header.split(",", _MAX_SIGNATURES)
    times = [found[1] for part in parts if (found := _TIMESTAMP.fullmatch(part))]
    signatures = [found[1] for part in parts if (found := _SIGNATURE.fullmatch(part))]
    if len(times) != 1 or not signatures:
        raise InvalidSignatureError("The Stripe-Signature header is missing or malformed.")
    return int(times[0]), signatures

"""Webhook signatures, see https://docs.stripe.com/webhooks#verify-manually."""

import hashlib
import hmac


def signature_header(secret: str, timestamp: int, body: bytes) -> str:
    """Return the Stripe-Signature header for a body sent at a time in seconds since the epoch."""
    signed = str(timestamp).encode() + b"." + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"

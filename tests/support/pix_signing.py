"""How the second provider signs: the id that a notification names, and not its body."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from payments.providers.errors import InvalidSignatureError


def request_of(ref: str, *, secret: str = "mp", request_id: str = "", body: Any = None) -> dict[str, Any]:  # noqa: S107
    """Write a delivery as Django's test client posts it: an id, and a signature of the manifest."""
    request_id, ts = request_id or str(uuid.uuid4()), str(int(timezone.now().timestamp()))
    return {
        "path": f"/webhooks/pix?data.id={ref}",
        "data": json.dumps({"data": {"id": ref}} if body is None else body),
        "content_type": "application/json",
        "headers": {
            "x-request-id": request_id,
            "x-signature": f"ts={ts},v1={sign(manifest(ref, request_id, ts), secret)}",
        },
    }


def read(headers: Mapping[str, str]) -> dict[str, str]:
    """Read the signature of a delivery."""
    parts = dict(part.split("=", 1) for part in headers.get("x-signature", "").split(",") if "=" in part)
    if not {"ts", "v1"} <= parts.keys() or not parts["ts"].isdigit():
        raise InvalidSignatureError("There is no signature.")
    return parts


def manifest(ref: str, request_id: str, ts: str) -> str:
    """Write what is signed: not the body."""
    return f"id:{ref};request-id:{request_id};ts:{ts};"


def sign(signed: str, secret: str) -> str:
    """Sign a text."""
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()

"""Stripe's own sample objects, and what one of ours lacks of such a sample."""

import json
import pathlib
from typing import Any

FIXTURES = json.loads((pathlib.Path(__file__).parent / "fixtures" / "stripe.json").read_text())
# An event is about whatever object, and metadata is whatever the caller gave.
OPAQUE = {"event.data.object", "payment_method.metadata"}


def missing_from(sample: Any, found: Any, path: str) -> list[str]:
    """Return what the sample has and the object lacks, or has as another type; a null fits everything."""
    if sample is None or found is None or path in OPAQUE:
        return []
    if isinstance(sample, dict):
        if not isinstance(found, dict):
            return [f"{path} is no object"]
        lacking = [f"{path}.{name}" for name in sample if name not in found]
        shared = [name for name in sample if name in found]
        return lacking + [
            fault for name in shared for fault in missing_from(sample[name], found[name], f"{path}.{name}")
        ]
    return [] if type(sample) is type(found) else [f"{path} is a {type(found).__name__}"]

"""Events that an operator with a secret of its own signs and posts."""

import itertools
from typing import Any

from django.utils import timezone

from tests.support import stripe_events

_numbers = itertools.count()


def event(account: Any = None, **changes: Any) -> dict[str, Any]:
    """Write an event that is none of our business, of an account if one is named."""
    return {
        "id": f"evt_{next(_numbers)}",
        "object": "event",
        "created": int(timezone.now().timestamp()),
        "type": "customer.created",
        "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
        **({} if account is None else {"account": account}),
        **changes,
    }


def deliver(endpoint: str, secret: str, account: Any = None, **changes: Any) -> int:
    """Post an event to an endpoint, signed with a secret; returns the status of the answer."""
    path = f"/webhooks/stripe/{endpoint}".rstrip("/")
    return int(stripe_events.deliver(event(account, **changes), path=path, secret=secret).status_code)

"""A place that is sold, and where its money stands, as tests make and read it."""

from typing import Any

from catalogue.models import Slot
from tests.support.api import Frontend
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox


def sell(frontend: Frontend, slot: Slot, sandbox: Sandbox) -> dict[str, Any]:
    """Sell a place for 45.00 USD, up to the event that proves its money; returns reservation and payment."""
    made = frontend.reserve(slot).json()
    assert frontend.post(f"reservations/{made['reservation']['id']}/confirm").status_code == 200
    work(sandbox)
    assert standing(frontend, made) == ("paid", 4500, 4500, 0)
    return dict(made)


def standing(frontend: Frontend, made: dict[str, Any]) -> tuple[str, int, int, int]:
    """Its status, what is owed, what is proven, and the balance, as the API tells."""
    found = frontend.get(f"reservations/{made['reservation']['id']}").json()["reservation"]
    return found["status"], found["amount_owed"], found["amount_proven"], found["balance"]


def refund(frontend: Frontend, made: dict[str, Any], **changes: Any) -> Any:
    """Ask for a refund by the API."""
    return frontend.post("refunds", {"payment_id": made["payment"]["id"], **changes})

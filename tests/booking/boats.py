"""What tests of a boat for one party say and ask."""

from datetime import timedelta
from typing import Any

from catalogue.models import Activity, Slot
from tests.support.factories import SlotFactory


def later(slot: Slot, **by: int) -> Slot:
    """Make another departure of the boat, so much later."""
    return SlotFactory.create(activity=slot.activity, capacity=10, starts_at=slot.starts_at + timedelta(**by))


def day_body(boat: Activity, **more: Any) -> dict[str, Any]:
    """Write the body that books the whole boat."""
    return {
        "resource_id": str(boat.pk),
        "customer": {"name": "Rui", "email": "rui@example.com"},
        "payment": {"provider": "stripe", "payment_method_id": "pm_card_visa"},
        **more,
    }


def day_of(slot: Slot) -> str:
    """Return the local day of a departure (all these are in Lisbon, in winter)."""
    return f"{slot.starts_at:%Y-%m-%d}"


def code_of(answer: Any) -> str:
    """Return why a request was refused, or that it was not."""
    return "" if answer.status_code == 201 else answer.json()["error"]["code"]

"""A place whose other dates cost more, and what is asked for it, as tests of changes make and read it."""

from datetime import timedelta
from typing import Any

from booking.models import Change
from catalogue.models import Rate, Slot
from common import database
from tests.support import fixed_point, promises
from tests.support.api import Frontend

CARD = {"provider": "stripe", "payment_method_id": "pm_card_visa"}


def price(slot: Slot, amount: int) -> None:
    Rate.objects.filter(activity=slot.activity, unit="adult").update(amount=amount)


def change(frontend: Frontend, made: dict[str, Any], *, key: str | None = None, **body: Any) -> Any:
    return frontend.post(f"reservations/{made['reservation']['id']}/changes", body, key=key)


def places(*found: Slot) -> list[int]:
    return [Slot.objects.get(pk=slot.pk).reserved for slot in found]


def time_is_over() -> None:
    Change.objects.update(expires_at=database.now() - timedelta(seconds=1))


def settled() -> None:
    promises.hold(at_provider=True)
    fixed_point.is_reached()

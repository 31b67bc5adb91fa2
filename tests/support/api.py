"""A booking frontend for the tests: calls the API in-process, through every layer."""

import uuid
from typing import Any

from rest_framework.test import APIClient

from catalogue.models import Slot
from tenants.models import ApiClient
from tests.support.factories import make_client


class Frontend:
    """Speaks the HTTP contract for one API client."""

    def __init__(self, key: str, client: ApiClient | None = None) -> None:
        self.key = key
        self.http = APIClient(raise_request_exception=False)
        self.http.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        self.client = client

    @classmethod
    def of(cls, slot: Slot) -> "Frontend":
        """Make a frontend of the slot's operator."""
        client, key = make_client(slot.activity.operator)
        return cls(key, client)

    def get(self, path: str, **query: Any) -> Any:
        """GET a path below ``/api/v1/``."""
        return self.http.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """POST to a path below ``/api/v1/``, with a new Idempotency-Key unless one is given."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.http.post(f"/api/v1/{path}", {} if body is None else body, format="json", headers=headers)

    def patch(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """PATCH a path below ``/api/v1/``, as :meth:`post`."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.http.patch(f"/api/v1/{path}", {} if body is None else body, format="json", headers=headers)

    def on_arrival(self, slot: Slot, **changes: Any) -> Any:
        """POST /reservations for one adult who pays on arrival, or as ``changes`` say."""
        body = reservation_body(slot, **{"pay_by": "on_arrival", **changes})
        del body["payment"]
        return self.post("reservations", body)

    def reserve(self, slot: Slot, *, key: str | None = None, **changes: Any) -> Any:
        """POST /reservations for one adult, or as ``changes`` say."""
        return self.post("reservations", reservation_body(slot, **changes), key=key)


def reservation_body(
    slot: Slot, *, adults: int = 1, card: str | None = "pm_card_visa", capture_method: str = "manual", **more: Any
) -> dict[str, Any]:
    """Write the body of POST /reservations."""
    payment: dict[str, Any] = {"provider": "stripe", "capture_method": capture_method}
    return {
        "slot_id": str(slot.pk),
        "units": [{"unit": "adult", "quantity": adults}],
        "customer": {"name": "Ana Souza", "email": "ana@example.com"},
        "payment": payment | ({"payment_method_id": card} if card else {}),
        **more,
    }

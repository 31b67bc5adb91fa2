"""What OpenAPI says of the booking API: descriptions, examples, errors."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from booking.api import serializers
from common.serializers import ErrorEnvelope

_ID = "019a9f6e-0f3c-7c6e-9d3a-5b1f0c2d4e6f"
_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 255 visible ASCII characters, a new one for each operation. The same request with the same key "
    "gets the first answer, byte for byte.",
)


def _error(description: str) -> OpenApiResponse:
    return OpenApiResponse(ErrorEnvelope, description=description)


_COMMON: dict[int, OpenApiResponse] = {
    401: _error("`invalid_token`: no API key, or one that is not valid."),
    403: _error("`insufficient_scope`: the key may not do this."),
}
_NOT_FOUND = {404: _error("`not_found`: there is no such object for this caller.")}
_KEYED: dict[int, OpenApiResponse] = {
    400: _error("`idempotency_key_missing`, `idempotency_key_invalid`, `malformed_json`."),
    **_COMMON,
}

LIST_RESOURCES: dict[str, Any] = {
    "tags": ["Catalogue"],
    "summary": "List resources",
    "description": "What the operator sells, newest first.",
    "responses": {200: serializers.ResourceOut(many=True), **_COMMON},
}
READ_RESOURCE: dict[str, Any] = {
    "tags": ["Catalogue"],
    "summary": "Read a resource",
    "description": "One activity or thing, with what each unit costs.",
    "responses": {200: serializers.ResourceOut, **_COMMON, **_NOT_FOUND},
}
LIST_SLOTS: dict[str, Any] = {
    "tags": ["Catalogue"],
    "summary": "List slots",
    "description": "Departures in the order of their start, with the places that are free. A hold past its time counts "
    "as free.",
    "parameters": [
        OpenApiParameter("resource_id", str, description="Only of this resource."),
        OpenApiParameter("from", str, description="Only those that start at or after this time (RFC 3339)."),
        OpenApiParameter("to", str, description="Only those that start before this time (RFC 3339)."),
        OpenApiParameter("places", int, description="Only open ones with room for so many."),
    ],
    "responses": {200: serializers.SlotOut(many=True), 422: _error("A filter is wrong; `param` names it."), **_COMMON},
}
READ_SLOT: dict[str, Any] = {
    "tags": ["Catalogue"],
    "summary": "Read a slot",
    "description": "One departure.",
    "responses": {200: serializers.SlotOut, **_COMMON, **_NOT_FOUND},
}
LIST_RESERVATIONS: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "List reservations",
    "description": "Newest first. `from` and `to` are times of making.",
    "parameters": [
        OpenApiParameter("status", str, description="Only those that read as this now."),
        OpenApiParameter("slot_id", str, description="Only of this slot."),
        OpenApiParameter("from", str, description="Only those made at or after this time (RFC 3339)."),
        OpenApiParameter("to", str, description="Only those made before this time (RFC 3339)."),
    ],
    "responses": {
        200: serializers.ReservationAndPaymentOut(many=True),
        422: _error("A filter is wrong; `param` names it."),
        **_COMMON,
    },
}
RESERVE: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Reserve",
    "description": "Takes the places, and holds the money (`manual`) or takes it (`automatic`). The price is the "
    "server's. Without a `payment_method_id` the frontend finishes with the `client_secret`.",
    "parameters": [_KEY],
    "request": serializers.ReservationIn,
    "responses": {
        201: OpenApiResponse(serializers.ReservationAndPaymentOut, description="Reserved; the provider has answered."),
        202: OpenApiResponse(
            serializers.ReservationAndPaymentOut,
            description="Reserved; the provider's answer is not known yet and is found out by itself.",
        ),
        **_KEYED,
        **_NOT_FOUND,
        409: _error("`slot_sold_out`, `slot_closed`, `resource_unavailable`, `too_many_holds`, `lock_timeout`, "
                    "`idempotency_key_in_use`."),
        422: _error("A field is wrong, `card_declined` and the provider's other codes, `idempotency_key_reused`."),
    },
    "examples": [
        OpenApiExample(
            "Two adults, held",
            request_only=True,
            value={
                "slot_id": _ID,
                "units": [{"unit": "adult", "quantity": 2}],
                "customer": {"name": "Ana Souza", "email": "ana@example.com"},
                "payment": {"provider": "stripe", "capture_method": "manual", "payment_method_id": "pm_card_visa"},
            },
        )
    ],
}  # fmt: skip
READ_RESERVATION: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Read a reservation",
    "description": "The reservation and its payment. A hold past its time reads as `expired`.",
    "responses": {200: serializers.ReservationAndPaymentOut, **_COMMON, **_NOT_FOUND},
}
CONFIRM: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Confirm a reservation",
    "description": "The hold becomes a sale and its money is captured. `paid` comes with the provider's event.",
    "parameters": [_KEY],
    "request": serializers.ReasonIn,
    "responses": {
        200: serializers.ReservationAndPaymentOut,
        **_KEYED,
        **_NOT_FOUND,
        409: _error("`invalid_state`, `hold_expired`, `lock_timeout`, `idempotency_key_in_use`."),
        422: _error("The capture was refused (the provider's code), or `idempotency_key_reused`."),
    },
}
CANCEL: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Cancel a reservation",
    "description": "The places are free at once; the release of the hold is stored and sent.",
    "parameters": [_KEY],
    "request": serializers.ReasonIn,
    "responses": {
        200: serializers.ReservationAndPaymentOut,
        **_KEYED,
        **_NOT_FOUND,
        409: _error("`invalid_state`, `lock_timeout`, `idempotency_key_in_use`."),
        422: _error("`idempotency_key_reused`, or a field is wrong."),
    },
}
HISTORY: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Read a reservation's history",
    "description": "Append-only, oldest first: when, from, to, by whom, why.",
    "responses": {200: serializers.HistoryOut(many=True), **_COMMON, **_NOT_FOUND},
}

"""What OpenAPI says of changes."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from booking.api import change_serializers, examples
from booking.api.serializers import ReasonIn, ReservationAndPaymentOut
from common import openapi
from common.examples import answered, asked

PREVIEW: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Say what a change comes to",
    "description": "Another departure (`slot_id`), more `units`, or both, at the rates of today; nothing is stored.",
    "parameters": [change_serializers.ChangeQuery],
    "responses": {
        200: change_serializers.ChangeQuoteOut,
        **openapi.COMMON,
        **openapi.NOT_FOUND,
        409: openapi.error("`invalid_state`: it is not sold, or has begun; `change_in_progress`, `being_refunded`."),
        422: openapi.error("Nothing would change, or a unit has no rate."),
    },
    "examples": [answered(examples.CHANGE_QUOTE)],
}
CHANGE: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Change a reservation",
    "description": "Another departure, more people, or both. The new places are held beside the old ones. Where "
    "nothing has to be paid first it is done at once; else `reservation.change` is open until its `amount_due` is held "
    "or paid, and lapses at its `expires_at` without a trace. A lower price goes back by itself. One is open at once.",
    "parameters": [openapi.KEY],
    "request": change_serializers.ChangeIn,
    "responses": {
        201: OpenApiResponse(ReservationAndPaymentOut, description="Done (`change` is null), or held."),
        202: OpenApiResponse(
            ReservationAndPaymentOut,
            description="Held; the provider's answer is not known yet and is found out by itself.",
        ),
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`slot_sold_out`, `slot_closed`, `invalid_state`, `change_in_progress`, `being_refunded`, "
                    "`quote_changed`, `too_many_holds`, `too_many_places`, `lock_timeout`, `idempotency_key_in_use`."),
        422: openapi.error("A field is wrong, `card_declined` or another of the provider's, `idempotency_key_reused`."),
    },
    "examples": [
        asked("Another departure", examples.CHANGE_DATE),
        answered(examples.reservation("paid", payment="succeeded"), status=201),
        answered(examples.reservation("paid", payment="succeeded"), status=202),
    ],
}  # fmt: skip
GIVE_UP: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Give a change up",
    "description": "Its places are free again, what is held for it is released, and the reservation is as before.",
    "parameters": [openapi.KEY],
    "request": ReasonIn,
    "responses": {
        200: ReservationAndPaymentOut,
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`invalid_state`: it is done, or over; `lock_timeout`, `idempotency_key_in_use`."),
        422: openapi.error("`idempotency_key_reused`."),
    },
    "examples": [
        asked("With a reason", examples.REASON),
        answered(examples.reservation("paid", payment="succeeded")),
    ],
}

"""What OpenAPI says of the booking API: descriptions, examples, errors."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from booking.api import examples, money_serializers, serializers
from common import openapi
from common.examples import answered, asked, page
from common.serializers import PageQuery

LIST_RESOURCES: dict[str, Any] = {
    "tags": ["Catalogue"],
    "summary": "List resources",
    "description": "What the operator sells, newest first.",
    "parameters": [PageQuery],
    "responses": {
        200: serializers.ResourceOut(many=True),
        422: openapi.error("A filter is wrong; `param` names it."),
        **openapi.COMMON,
    },
    "examples": [page(examples.RESOURCE)],
}
READ_RESOURCE: dict[str, Any] = {
    "tags": ["Catalogue"],
    "summary": "Read a resource",
    "description": "One activity or thing, with what each unit costs.",
    "responses": {200: serializers.ResourceOut, **openapi.COMMON, **openapi.NOT_FOUND},
    "examples": [answered(examples.RESOURCE)],
}
LIST_SLOTS: dict[str, Any] = {
    "tags": ["Catalogue"],
    "summary": "List slots",
    "description": "Departures in the order of their start, from now on unless `from` says otherwise. `open` is what "
    "can be reserved at this moment: a hold past its time counts as free, a departure without prices as closed, one of "
    "an exclusive resource that somebody has at that time as sold out.",
    "parameters": [serializers.SlotQuery],
    "responses": {
        200: serializers.SlotOut(many=True),
        422: openapi.error("A filter is wrong; `param` names it."),
        **openapi.COMMON,
    },
    "examples": [page(examples.SLOT)],
}
READ_SLOT: dict[str, Any] = {
    "tags": ["Catalogue"],
    "summary": "Read a slot",
    "description": "One departure.",
    "responses": {200: serializers.SlotOut, **openapi.COMMON, **openapi.NOT_FOUND},
    "examples": [answered(examples.SLOT)],
}
LIST_RESERVATIONS: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "List reservations",
    "description": "Newest first. `from` and `to` are times of making. What a key without the scope `book` is not "
    "shown, is not shown here either.",
    "parameters": [serializers.ReservationQuery],
    "responses": {
        200: serializers.ReservationAndPaymentOut(many=True),
        422: openapi.error("A filter is wrong; `param` names it."),
        **openapi.COMMON,
    },
    "examples": [page(examples.reservation("pending", payment="on_hold"))],
}
RESERVE: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Reserve",
    "description": "Takes the places, and holds the money (`manual`) or takes it (`automatic`). The price is the "
    "server's. Without a `payment_method_id` the frontend finishes with the `client_secret`.\n\n"
    "An exclusive resource is booked as a whole for a local day by `resource_id` and `date` (left out: today there). "
    "It is then nobody else's on that day, by no departure either; `units` may be left out where there is one rate. "
    "A day that is over is `slot_closed`.",
    "parameters": [openapi.KEY],
    "request": serializers.ReservationIn,
    "responses": {
        201: OpenApiResponse(serializers.ReservationAndPaymentOut, description="Reserved; the provider has answered."),
        202: OpenApiResponse(
            serializers.ReservationAndPaymentOut,
            description="Reserved; the provider's answer is not known yet and is found out by itself.",
        ),
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`slot_sold_out`, `slot_closed`, `resource_unavailable`, `too_many_holds`, "
                    "`too_many_places`, `lock_timeout`, "
                    "`idempotency_key_in_use`."),
        422: openapi.error("A field is wrong, `card_declined` or another of the provider's, `idempotency_key_reused`."),
    },
    "examples": [
        asked("Two adults, held", examples.RESERVE),
        asked("A whole boat for a day", examples.RESERVE_DAY),
        answered(examples.reservation("pending", payment="on_hold"), status=201),
        answered(examples.reservation("awaiting_payment", payment="processing"), status=202),
    ],
}  # fmt: skip
READ_RESERVATION: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Read a reservation",
    "description": "The reservation and its payment. A hold past its time reads as `expired`. A key without the "
    "scope `book` reads no `client_secret` and no `next_action`, and the mail address as `a***@example.com`.",
    "responses": {200: serializers.ReservationAndPaymentOut, **openapi.COMMON, **openapi.NOT_FOUND},
    "examples": [answered(examples.reservation("pending", payment="on_hold"))],
}
CONFIRM: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Confirm a reservation",
    "description": "The hold becomes a sale and its money is captured. `paid` comes with the provider's event.",
    "parameters": [openapi.KEY],
    "request": serializers.ReasonIn,
    "responses": {
        200: serializers.ReservationAndPaymentOut,
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`invalid_state`, `hold_expired`, `lock_timeout`, `idempotency_key_in_use`."),
        422: openapi.error("The capture was refused (the provider's code), or `idempotency_key_reused`."),
    },
    "examples": [
        asked("With a reason", examples.REASON),
        answered(examples.reservation("confirmed", payment="processing")),
    ],
}
EXTEND: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Extend a hold",
    "description": "The hold lasts at least so many minutes from now: such as while the guest types in the names. It "
    "never gets shorter, and lasts no longer than the installation and the provider allow.",
    "parameters": [openapi.KEY],
    "request": serializers.ExtendIn,
    "responses": {
        200: serializers.ReservationAndPaymentOut,
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`hold_ceiling`: no hold lasts so long; `invalid_state`: it is no hold; `hold_expired`, "
                    "`lock_timeout`, `idempotency_key_in_use`."),
        422: openapi.error("A field is wrong, or `idempotency_key_reused`."),
    },
    "examples": [
        asked("Ten minutes more", examples.EXTEND),
        answered(examples.reservation("pending", payment="on_hold")),
    ],
}  # fmt: skip
CANCEL: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Cancel a reservation",
    "description": "The places are free at once; the release of a hold is stored and sent. What is sold is cancelled "
    "on its terms, and the money that is not kept goes back: `expected_refund` is what the guest was told.",
    "parameters": [openapi.KEY],
    "request": money_serializers.CancelIn,
    "responses": {
        200: serializers.ReservationAndPaymentOut,
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`quote_changed`: the refund is another by now; `invalid_state`: it is over, or sold "
                           "without terms; `lock_timeout`, `idempotency_key_in_use`."),
        422: openapi.error("`idempotency_key_reused`, or a field is wrong."),
    },
    "examples": [
        asked("With a reason", examples.REASON),
        answered(examples.reservation("cancelled", payment="canceled")),
    ],
}  # fmt: skip
HISTORY: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Read a reservation's history",
    "description": "Append-only, oldest first: when, from, to, by whom, why. Customers, and keys that may only "
    "read, are told roles (`customer`, `staff`, `provider`, `system`) for names, and no words that a person typed.",
    "responses": {200: serializers.HistoryOut(many=True), **openapi.COMMON, **openapi.NOT_FOUND},
    "examples": [page(examples.CHANGE)],
}

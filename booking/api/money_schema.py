"""What OpenAPI says of the money of a reservation."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from booking.api import examples, money_serializers
from booking.api.serializers import CancellationOut, ReservationAndPaymentOut
from common import openapi
from common.examples import answered, asked

PAY: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Pay what is due by another payment",
    "description": "Another card, or another provider, for what is due: of a hold whose card was declined "
    "(`on_decline: keep`), or of what is left to pay. One payment lives at a time: if one does and is the same "
    "(provider, payment method, amount), it is the answer; another one is given up with `replace`, and this "
    "one begins when that one is over at the provider. Until then: 409 `payment_in_progress`, to be "
    "asked again with the same key.",
    "parameters": [openapi.KEY],
    "request": money_serializers.AttemptIn,
    "responses": {
        200: OpenApiResponse(ReservationAndPaymentOut, description="The live payment is this one."),
        201: OpenApiResponse(ReservationAndPaymentOut, description="Begun; the provider has answered."),
        202: OpenApiResponse(
            ReservationAndPaymentOut,
            description="Begun; the provider's answer is not known yet and is found out by itself.",
        ),
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`nothing_due`, `payment_in_progress`, `invalid_state`, `hold_expired`, `lock_timeout`, "
                    "`idempotency_key_in_use`."),
        422: openapi.error("A field is wrong, `card_declined` or another of the provider's, `idempotency_key_reused`."),
    },
    "examples": [
        asked("Another card", examples.ATTEMPT),
        answered(examples.reservation("pending", payment="on_hold"), status=200),
        answered(examples.reservation("pending", payment="on_hold"), status=201),
        answered(examples.reservation("awaiting_payment", payment="processing"), status=202),
    ],
}  # fmt: skip
PREVIEW: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Say what a cancellation comes to",
    "description": "By the terms that were sold, at this moment; nothing is stored. Of a hold nothing is kept.",
    "parameters": [money_serializers.CancellationQuery],
    "responses": {
        200: CancellationOut,
        **openapi.COMMON,
        **openapi.NOT_FOUND,
        409: openapi.error("`invalid_state`: it is over, or sold without terms."),
        422: openapi.error("`units` are none that it has."),
    },
    "examples": [answered(examples.CANCELLATION)],
}
COLLECT: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Take money that no provider takes",
    "description": "Cash, a terminal of its own, a transfer, a voucher. Up to what is left to pay; for a hold all "
    "that is due. A live payment is closed; what it takes nevertheless goes back. Needs the scope `collect`.",
    "parameters": [openapi.KEY],
    "request": money_serializers.ReceiptIn,
    "responses": {
        201: OpenApiResponse(ReservationAndPaymentOut, description="Taken."),
        202: OpenApiResponse(ReservationAndPaymentOut, description="It counts when a second person has approved it."),
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`nothing_due`, `invalid_state`, `hold_expired`, `lock_timeout`, `idempotency_key_in_use`."),
        422: openapi.error("`invalid_amount`: more than is left to pay; `idempotency_key_reused`."),
    },
    "examples": [
        asked("Cash for all that is left", examples.RECEIPT),
        answered(examples.reservation("confirmed", payment="canceled"), status=201),
        answered(examples.reservation("confirmed", payment="canceled"), status=202),
    ],
}
ADJUST: dict[str, Any] = {
    "tags": ["Reservations"],
    "summary": "Change what is owed",
    "description": "`extra` and `fee` add to the price, `discount` lowers it, `goodwill` lowers what is owed of it. "
    "Money that is too much then goes back by itself. Needs the scope `sell`.",
    "parameters": [openapi.KEY],
    "request": money_serializers.AdjustmentIn,
    "responses": {
        201: ReservationAndPaymentOut,
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error("`payment_in_progress`: the price of a hold is fixed while it is being paid; "
                           "`being_refunded`, `invalid_state`, `hold_expired`, `lock_timeout`, "
                           "`idempotency_key_in_use`."),
        422: openapi.error("`invalid_amount`: less than nothing would be owed; `idempotency_key_reused`."),
    },
    "examples": [
        asked("A wetsuit", examples.ADJUSTMENT),
        answered(examples.reservation("confirmed", payment="succeeded"), status=201),
    ],
}  # fmt: skip

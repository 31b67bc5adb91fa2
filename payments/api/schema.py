"""What OpenAPI says of the payments API: descriptions, examples, errors."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from common import openapi
from common.examples import ID, answered, asked, page
from common.serializers import PageQuery
from payments.api import examples, serializers

_MANAGED = "`managed_by_reservation`: it belongs to a reservation and is driven through it; "
_WRONG_FIELD = "A field is wrong; `param` names it. Or `idempotency_key_reused`."
_KEY_IN_USE = "`lock_timeout`, `idempotency_key_in_use`."


def _changes(description: str, **responses: Any) -> dict[int, Any]:
    return {
        **{int(status.removeprefix("s")): answer for status, answer in responses.items()},
        **openapi.KEYED,
        **openapi.NOT_FOUND,
        409: openapi.error(f"{description} {_KEY_IN_USE}"),
        422: openapi.error(_WRONG_FIELD),
    }


CREATE_INTENT: dict[str, Any] = {
    "tags": ["Payments"],
    "summary": "Create a payment intent",
    "description": "For money that is not a reservation's. Nothing is held or taken before it is confirmed, here or by "
    "the frontend with the `client_secret` (null if the provider has not answered yet; read it again).",
    "parameters": [openapi.KEY],
    "request": serializers.IntentIn,
    "responses": {
        201: OpenApiResponse(serializers.IntentOut, description="Created."),
        **openapi.KEYED,
        409: openapi.error(_KEY_IN_USE),
        422: openapi.error(
            "`invalid_amount`, `invalid_currency` or another wrong field; the provider's own code if it refused; "
            "`idempotency_key_reused`."
        ),
    },
    "examples": [asked("A gift card", examples.CREATE), answered(examples.INTENT, status=201)],
}
LIST_INTENTS: dict[str, Any] = {
    "tags": ["Payments"],
    "summary": "List payment intents",
    "description": "All of the operator's payments, its reservations' too, newest first.",
    "parameters": [PageQuery],
    "responses": {
        200: serializers.IntentOut(many=True),
        422: openapi.error("A filter is wrong; `param` names it."),
        **openapi.COMMON,
    },
    "examples": [page(examples.INTENT)],
}
READ_INTENT: dict[str, Any] = {
    "tags": ["Payments"],
    "summary": "Read a payment intent",
    "description": "A payment as it is now, a reservation's too.",
    "responses": {200: serializers.IntentOut, **openapi.COMMON, **openapi.NOT_FOUND},
    "examples": [answered(examples.INTENT)],
}
CONFIRM_INTENT: dict[str, Any] = {
    "tags": ["Payments"],
    "summary": "Confirm a payment intent",
    "description": "A worker holds the money (`manual`) or takes it (`automatic`). `succeeded` comes with the "
    "provider's event.",
    "parameters": [
        openapi.KEY,
        OpenApiParameter("force", str, enum=["failure"], description="Against the sandbox only: have it declined."),
    ],
    "request": serializers.ConfirmIn,
    "responses": _changes(
        f"{_MANAGED}`invalid_state`: it is confirmed or over already.",
        s202=OpenApiResponse(serializers.AcceptedOut, description="Accepted; a worker does it."),
    )
    | {
        400: openapi.error(
            "`idempotency_key_missing`, `malformed_json`; `sandbox_only` for a forced failure elsewhere."
        )
    },
    "examples": [asked("With a card", {"payment_method_id": "pm_card_visa"}), answered(examples.ACCEPTED, status=202)],
}
CAPTURE_INTENT: dict[str, Any] = {
    "tags": ["Payments"],
    "summary": "Capture a payment intent",
    "description": "A worker takes the held money, all of it or a part; the rest of the hold is released.",
    "parameters": [openapi.KEY],
    "request": serializers.CaptureIn,
    "responses": _changes(
        f"{_MANAGED}`invalid_state`: it is not on hold.",
        s202=OpenApiResponse(serializers.AcceptedOut, description="Accepted; a worker does it."),
    ),
    "examples": [asked("A part", {"amount": 1000}), answered(examples.ACCEPTED, status=202)],
}
CANCEL_INTENT: dict[str, Any] = {
    "tags": ["Payments"],
    "summary": "Cancel a payment intent",
    "description": "Closes a payment that has taken no money, and releases its hold.",
    "parameters": [openapi.KEY],
    "request": None,
    "responses": _changes(
        f"{_MANAGED}`invalid_state`: it is being taken or over.",
        s200=OpenApiResponse(serializers.IntentOut, description="Canceled at the provider."),
        s202=OpenApiResponse(serializers.IntentOut, description="Asked for; the provider's answer is not known yet."),
    ),
    "examples": [
        answered({**examples.INTENT, "status": "canceled"}),
        answered({**examples.INTENT, "status": "on_hold"}, status=202),
    ],
}
READ_PAYMENT: dict[str, Any] = {
    "tags": ["Payments"],
    "summary": "Read what came of a payment",
    "description": "Final figures. While there are none, 425: ask again.",
    "responses": {
        200: serializers.PaymentResultOut,
        425: openapi.error("`processing`: it has no final state yet."),
        **openapi.COMMON,
        **openapi.NOT_FOUND,
    },
    "examples": [answered(examples.RESULT)],
}
REFUND: dict[str, Any] = {
    "tags": ["Refunds"],
    "summary": "Refund a payment",
    "description": "All that is left, or a part. The amount is reserved at once; a worker asks the provider, whose "
    "event settles it. A reservation whose payment is refunded in full becomes `refunded`, and its places are free.",
    "parameters": [openapi.KEY],
    "request": serializers.RefundIn,
    "responses": _changes(
        "`invalid_state`: no money has been taken.",
        s201=OpenApiResponse(serializers.RefundOut, description="On its way."),
    )
    | {
        422: openapi.error(
            "`refund_exceeds_payment`: more than is left; or a field is wrong; `idempotency_key_reused`."
        )
    },
    "examples": [
        asked("A part", {"payment_id": ID, "amount": 1000, "reason": "requested_by_customer"}),
        answered(examples.REFUND, status=201),
    ],
}
LIST_REFUNDS: dict[str, Any] = {
    "tags": ["Refunds"],
    "summary": "List refunds",
    "description": "Newest first.",
    "parameters": [PageQuery],
    "responses": {
        200: serializers.RefundOut(many=True),
        422: openapi.error("A filter is wrong; `param` names it."),
        **openapi.COMMON,
    },
    "examples": [page(examples.REFUND)],
}
READ_REFUND: dict[str, Any] = {
    "tags": ["Refunds"],
    "summary": "Read a refund",
    "description": "A refund as it is now. One that has succeeded may still fail at the customer's bank.",
    "responses": {200: serializers.RefundOut, **openapi.COMMON, **openapi.NOT_FOUND},
    "examples": [answered(examples.REFUND)],
}
LIST_TRANSACTIONS: dict[str, Any] = {
    "tags": ["Transactions"],
    "summary": "List transactions",
    "description": "Every movement of money and every wish for one, newest first.",
    "parameters": [serializers.TransactionQuery],
    "responses": {
        200: serializers.TransactionOut(many=True),
        422: openapi.error("A filter is wrong; `param` names it."),
        **openapi.COMMON,
    },
    "examples": [page(examples.TRANSACTION)],
}
READ_TRANSACTION: dict[str, Any] = {
    "tags": ["Transactions"],
    "summary": "Read a transaction",
    "description": "With everything that was asked of the provider for it, when, and with what result; and with every "
    "look that the reconciliation took because the outcome was not known.",
    "responses": {200: serializers.TransactionDetailOut, **openapi.COMMON, **openapi.NOT_FOUND},
    "examples": [answered({**examples.TRANSACTION, "commands": [examples.COMMAND], "attempts": [examples.ATTEMPT]})],
}

"""Examples of the payments API."""

from common.examples import ID, MADE_AT, OTHER_ID
from payments.providers import registry

PROVIDER = registry.names()[0]

INTENT = {
    "id": ID,
    "status": "requires_confirmation",
    "provider": PROVIDER,
    "provider_ref": "pi_3PgafuB7WZ01zgkW0mYPNZs8",
    "amount": 2599,
    "currency": "USD",
    "client_secret": "pi_3PgafuB7WZ01zgkW0mYPNZs8_secret_x",
    "next_action": None,
    "failure": None,
    "customer_id": "guest-4711",
    "payment_method_id": "pm_card_visa",
    "capture_method": "automatic",
    "metadata": {"card": "G-7"},
    "created_at": MADE_AT,
    "updated_at": MADE_AT,
}
CREATE = {
    "amount": 2599,
    "currency": "USD",
    "payment_method_id": "pm_card_visa",
    "customer_id": "guest-4711",
    "metadata": {"card": "G-7"},
}
ACCEPTED = {"id": ID, "status": "processing"}
RESULT = {
    "payment_id": ID,
    "payment_intent_id": ID,
    "status": "succeeded",
    "captured_amount": 2599,
    "refunded_amount": 0,
    "auth_code": "123456",
    "receipt_url": "https://provider.example/receipts/x",
    "disputes": [],
}
REFUND = {
    "id": OTHER_ID,
    "payment_id": ID,
    "amount": 1000,
    "currency": "USD",
    "reason": "requested_by_customer",
    "status": "pending",
    "created_at": MADE_AT,
}
TRANSACTION = {
    "id": ID,
    "payment_id": ID,
    "kind": "charge",
    "status": "successful",
    "amount": 2599,
    "currency": "USD",
    "provider": PROVIDER,
    "provider_ref": "pi_3PgafuB7WZ01zgkW0mYPNZs8",
    "created_at": MADE_AT,
}
COMMAND = {
    "id": OTHER_ID,
    "kind": "confirm",
    "status": "done",
    "amount": 2599,
    "attempts": 1,
    "requested_by": "client:Shop",
    "error": None,
    "created_at": MADE_AT,
    "finished_at": MADE_AT,
}
ATTEMPT = {
    "number": 1,
    "result": "recovered",
    "provider_status": "captured",
    "done": "recovered 1 events whose webhook never came",
    "error": None,
    "at": MADE_AT,
    "finished_at": MADE_AT,
}

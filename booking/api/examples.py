"""Examples of the booking API."""

from common.examples import ID, MADE_AT, OTHER_ID
from payments.providers import registry

PROVIDER = registry.names()[0]

RATE = {"id": OTHER_ID, "unit": "adult", "name": "Adult", "amount": 4500}
RESOURCE = {
    "id": ID,
    "name": "Sea kayaking",
    "description": "Two hours along the cliffs, with a guide.",
    "exclusive": False,
    "timezone": "Europe/Lisbon",
    "currency": "EUR",
    "rates": [RATE],
}
SLOT = {
    "id": ID,
    "resource_id": OTHER_ID,
    "starts_at": "2026-12-01T09:00:00Z",
    "ends_at": "2026-12-01T11:00:00Z",
    "capacity": 12,
    "available": 5,
    "status": "open",
    "rates": [RATE],
}
RESERVE = {
    "slot_id": ID,
    "units": [{"unit": "adult", "quantity": 2}],
    "customer": {"name": "Ana Souza", "email": "ana@example.com", "language": "pt"},
    "payment": {"provider": PROVIDER, "capture_method": "manual", "payment_method_id": "pm_card_visa"},
}
RESERVE_DAY = {
    "resource_id": ID,
    "date": "2026-12-01",
    "customer": {"name": "Ana Souza", "email": "ana@example.com"},
    "payment": {"provider": PROVIDER, "payment_method_id": "pm_card_visa"},
}
REASON = {"reason": "the guest called"}


CANCELLATION = {
    "fee": 1800,
    "refund": 7200,
    "on_account": 0,
    "currency": "EUR",
    "terms": ["until 48 h: keep 0 %", "until 0 h: keep 20 %"],
}
CHANGE_QUOTE = {"difference": 3000, "due": 3000, "currency": "EUR"}
CHANGE_DATE = {
    "slot_id": OTHER_ID,
    "expected_difference": 3000,
    "payment": {"provider": PROVIDER, "payment_method_id": "pm_card_visa"},
}
EXTEND = {"minutes": 10}
RECEIPT = {"method": "cash", "reason": "paid at the desk"}
ADJUSTMENT = {"kind": "extra", "amount": 2000, "name": "Wetsuit", "reason": "asked for at the desk"}
ATTEMPT = {"provider": PROVIDER, "payment_method_id": "pm_card_mastercard"}


def reservation(status: str, *, payment: str) -> dict[str, object]:
    """Write a reservation beside its payment."""
    paid_by = _payment(payment)
    return {
        "reservation": {
            "id": ID,
            "reference": "K7QF2M",
            "status": status,
            "resource_id": OTHER_ID,
            "slot_id": OTHER_ID,
            "date": None,
            "units": [{"unit": "adult", "name": "Adult", "quantity": 2, "amount": 4500}],
            "places": 2,
            "amount": 9000,
            "amount_owed": 9000,
            "amount_proven": 0,
            "amount_collected": 0,
            "balance": 9000,
            "currency": "EUR",
            "pay_by": "provider",
            "dues": [{"purpose": "payment", "amount": 9000, "by": None, "status": "secured"}],
            "terms": ["until 48 h: keep 0 %", "until 0 h: keep 20 %"],
            "adjustments": [],
            "change": None,
            "customer": {"name": "Ana Souza", "email": "ana@example.com", "reference": None, "language": "pt"},
            "expires_at": "2026-11-21T09:45:00.125000Z",
            "confirmed_at": MADE_AT if status == "confirmed" else None,
            "paid_at": None,
            "created_at": MADE_AT,
            "metadata": {},
        },
        "payment": paid_by,
        "payments": [paid_by],
    }


def _payment(status: str) -> dict[str, object]:
    return {
        "id": OTHER_ID,
        "status": status,
        "provider": PROVIDER,
        "provider_ref": "pi_3PgafuB7WZ01zgkW0mYPNZs8",
        "amount": 9000,
        "currency": "EUR",
        "client_secret": "pi_3PgafuB7WZ01zgkW0mYPNZs8_secret_x",
        "next_action": None,
        "failure": None,
        "late": False,
    }


CHANGE = {"at": MADE_AT, "from": "pending", "to": "confirmed", "actor": "client:Shop", "reason": "confirm"}

"""Guards of receipts and tills: what was taken is kept."""

from common import guards
from common.guards import changed
from payments.guards import REFUSE

_RECEIPT, _TILL = "booking_receipt", "booking_till"

GUARDS = (
    # What a receipt says is kept; only that it was approved, or was not, is noted once.
    guards.function(
        "booking_receipt_is_kept",
        guards.refuse_if(
            "OLD.approved_at IS NOT NULL OR OLD.declined_at IS NOT NULL OR\n"
            + changed("id", "reservation_id", "method", "amount", "reference", "corrects_id", "at", "actor", "reason"),
            "receipt % is kept as it was taken",
            "OLD.id",
            code="restrict_violation",
            constraint="receipt_is_kept",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("receipt_is_kept", "BEFORE UPDATE", _RECEIPT, calls="booking_receipt_is_kept"),
    *guards.kept(_RECEIPT, "receipt_is_not_deleted", by=REFUSE),
    guards.function(
        "booking_till_is_kept",
        guards.refuse_if(
            "OLD.closed_at IS NOT NULL OR "
            + changed("id", "operator_id", "name", "currency", "amount_opened", "opened_at", "opened_by"),
            "till % is kept as it was opened and counted",
            "OLD.id",
            code="restrict_violation",
            constraint="till_is_kept",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("till_is_kept", "BEFORE UPDATE", _TILL, calls="booking_till_is_kept"),
    *guards.kept(_TILL, "till_is_not_deleted", by=REFUSE),
    # A receipt goes into a till that is open.
    guards.function(
        "booking_receipt_in_an_open_till",
        guards.refuse_if(
            """
            NOT EXISTS (
                SELECT 1 FROM booking_till t JOIN booking_reservation r ON r.id = NEW.reservation_id
                WHERE t.id = NEW.till_id AND t.closed_at IS NULL AND t.operator_id = r.operator_id
                  AND t.currency = r.currency
            )
            """,
            "receipt % goes into a till that is not open, or is another's",
            "NEW.id",
            constraint="receipt_in_an_open_till",
        ),
        "RETURN NEW;",
    ),
    guards.trigger(
        "receipt_in_an_open_till",
        "BEFORE INSERT OR UPDATE OF till_id",
        _RECEIPT,
        calls="booking_receipt_in_an_open_till",
        condition="NEW.till_id IS NOT NULL",
    ),
)

"""Guards of changes: held beside a reservation, and ended once."""

from booking.states import CHANGE_TRANSITIONS, ChangeStatus
from common import guards
from common.guards import changed
from payments.guards import REFUSE

_CHANGE, _RESERVATION, _PAYMENT = "booking_change", "booking_reservation", "payments_payment"
_OPEN, _DONE = ChangeStatus.OPEN.value, ChangeStatus.DONE.value
_PART = "(to_jsonb(NEW) ->> 'managed_part')::uuid"
"""The change of a payment, in a function that other tables call, too."""

GUARDS = (
    guards.function(
        "booking_change_moves",
        guards.refuse_if(
            f"TG_OP = 'INSERT' AND NEW.status <> '{_OPEN}'",
            "a change cannot begin as %",
            "NEW.status",
            constraint="change_transition",
        ),
        "IF TG_OP = 'INSERT' THEN RETURN NEW; END IF;",
        guards.moves("change", CHANGE_TRANSITIONS),
        guards.explained("change"),
        guards.refuse_if(
            changed(
                "id",
                "reservation_id",
                "slot_id",
                "places",
                "sold",
                "prices",
                "amount",
                "amount_due",
                "created_at",
                "api_client_id",
            )
            + f"\nOR OLD.status <> '{_OPEN}'",
            "change % is kept as it was asked for",
            "OLD.id",
            code="restrict_violation",
            constraint="change_is_kept",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("change_moves", "BEFORE INSERT OR UPDATE", _CHANGE, calls="booking_change_moves"),
    *guards.kept(_CHANGE, "change_is_not_deleted", by=REFUSE),
    # The reservation points at the change that is open, and at no other.
    guards.function(
        "booking_change_is_of_its_reservation",
        f"""
        CASE TG_TABLE_NAME
            WHEN '{_CHANGE}' THEN whose := NEW.reservation_id;
            WHEN '{_PAYMENT}' THEN whose := NEW.managed_id;
            ELSE whose := NEW.id;
        END CASE;
        SELECT r.change_id, r.activity_id INTO sale FROM booking_reservation r WHERE r.id = whose;
        SELECT c.id, s.activity_id INTO held FROM booking_change c JOIN catalogue_slot s ON s.id = c.slot_id
            WHERE c.reservation_id = whose AND c.status = '{_OPEN}';
        """,
        guards.refuse_if(
            "sale.change_id IS DISTINCT FROM held.id OR held.activity_id <> sale.activity_id",
            "reservation % has another open change than it says, or one of another activity",
            "whose",
            constraint="change_is_of_its_reservation",
        ),
        guards.refuse_if(
            f"""
            TG_TABLE_NAME = '{_PAYMENT}' AND NOT EXISTS (
                SELECT 1 FROM booking_change c WHERE c.reservation_id = whose AND c.id = {_PART})
            """,
            "a payment is of a change that reservation % has not",
            "whose",
            constraint="change_is_of_its_reservation",
        ),
        "RETURN NULL;",
        declare="""
        whose uuid;
        sale record;
        held record;
        """,
    ),
    guards.at_commit(
        "change_is_pointed_at", "AFTER INSERT OR UPDATE", _CHANGE, calls="booking_change_is_of_its_reservation"
    ),
    guards.at_commit(
        "reservation_points_at_its_change",
        "AFTER UPDATE OF change_id",
        _RESERVATION,
        calls="booking_change_is_of_its_reservation",
        condition=changed("change_id"),
    ),
    guards.at_commit(
        "payment_is_of_its_change",
        "AFTER INSERT",
        _PAYMENT,
        calls="booking_change_is_of_its_reservation",
        condition="NEW.managed_by = 'reservation' AND NEW.managed_part IS NOT NULL",
    ),
    # What has to be paid before a change is done is held, or has come.
    guards.function(
        "booking_change_done_is_paid",
        guards.refuse_if(
            """
            NOT EXISTS (
                SELECT 1 FROM payments_payment p
                WHERE p.managed_id = NEW.reservation_id AND p.managed_part = NEW.id
                  AND (p.held_at IS NOT NULL AND p.amount >= NEW.amount_due OR p.amount_captured >= NEW.amount_due)
            )
            """,
            "change % is not paid",
            "NEW.id",
            constraint="change_done_is_paid",
        ),
        "RETURN NULL;",
    ),
    guards.at_commit(
        "change_done_is_paid",
        "AFTER UPDATE OF status",
        _CHANGE,
        calls="booking_change_done_is_paid",
        condition=f"NEW.status = '{_DONE}' AND NEW.amount_due > 0",
    ),
)

"""Guards of reservations: the transitions of ``states.py``, and four more files."""

from booking import change_guards, receipt_guards, sold_guards, sum_guards
from booking.states import RESERVATION_TRANSITIONS, PayBy, ReservationStatus
from common import guards
from common.guards import changed
from payments.guards import REFUSE

AFTER = ("catalogue", "payments")

_TABLE = "booking_reservation"
_FIRST, _PROVIDER = ReservationStatus.AWAITING_PAYMENT.value, PayBy.PROVIDER.value
_UNPAID = guards.listed((ReservationStatus.PENDING, ReservationStatus.CONFIRMED), of=ReservationStatus)

_MOVES = (
    guards.function(
        "booking_reservation_moves",
        guards.moves("reservation", RESERVATION_TRANSITIONS),
        guards.explained("reservation"),
        "RETURN NEW;",
    ),
    guards.trigger("reservation_moves", "BEFORE UPDATE OF status", _TABLE, calls="booking_reservation_moves"),
    guards.function(
        "booking_reservation_begins",
        guards.refuse_if(
            f"""
            (NEW.status = '{_FIRST}') <> (NEW.pay_by = '{_PROVIDER}' AND NEW.amount > 0)
                OR (NEW.status <> '{_FIRST}' AND NEW.status NOT IN {_UNPAID})
                OR (NEW.status = '{_FIRST}') <> (NEW.attempts = 1) OR NEW.attempts > 1
            """,
            "a reservation cannot begin as %",
            "NEW.status",
            constraint="reservation_transition",
        ),
        guards.refuse_if(
            "NEW.amount_owed <> NEW.amount OR NEW.amount_proven <> 0",
            "a reservation begins with all of it owed, and none proven",
            constraint="reservation_sums",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("reservation_begins", "BEFORE INSERT", _TABLE, calls="booking_reservation_begins"),
)

_HISTORY = (
    *guards.status_history(_TABLE, "reservation", into="booking_history", key="reservation_id"),
    # An amount, or a number of places, that is changed by hand is told.
    guards.function(
        "booking_reservation_amount_history",
        f"""
        INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason)
        VALUES (NEW.id, clock_timestamp(), NEW.status, NEW.status,
                {guards.ACTOR},
                format('%s places, amount %s %s → %s places, amount %s %s, in minor units',
                       OLD.places, OLD.amount, OLD.currency, NEW.places, NEW.amount, NEW.currency));
        RETURN NULL;
        """,
    ),
    guards.trigger(
        "reservation_history_of_amount",
        "AFTER UPDATE OF places, amount, currency",
        _TABLE,
        calls="booking_reservation_amount_history",
        condition=changed("places", "currency")
        + "\nOR OLD.amount IS DISTINCT FROM NEW.amount AND OLD.changed_at IS NOT DISTINCT FROM NEW.changed_at",
    ),
    guards.function(
        "booking_reservation_goes_elsewhere",
        guards.refuse_if(
            """
            (OLD.changed_at, OLD.changed_by, OLD.changed_because)
                = (NEW.changed_at, NEW.changed_by, NEW.changed_because)
                OR OLD.status <> NEW.status OR OLD.activity_id <> NEW.activity_id
                OR OLD.slot_id IS NULL OR NEW.slot_id IS NULL
            """,
            "a reservation moves from one departure to another of its activity, and says when, who and why",
            constraint="reservation_move",
        ),
        """
        INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason, moved_from_id)
        VALUES (NEW.id, NEW.changed_at, OLD.status, NEW.status, NEW.changed_by, NEW.changed_because, OLD.slot_id);
        RETURN NEW;
        """,
    ),
    guards.trigger(
        "reservation_goes_elsewhere",
        "BEFORE UPDATE OF slot_id",
        _TABLE,
        calls="booking_reservation_goes_elsewhere",
        condition=changed("slot_id"),
    ),
    *guards.append_only("booking_history", "history_is_append_only", by=REFUSE),
    *guards.append_only("booking_unit", "unit_is_a_snapshot", by=REFUSE),
    *guards.kept(_TABLE, "reservation_is_kept", by=REFUSE),
)

GUARDS = (*_MOVES, *_HISTORY, *sum_guards.GUARDS, *receipt_guards.GUARDS, *change_guards.GUARDS, *sold_guards.GUARDS)

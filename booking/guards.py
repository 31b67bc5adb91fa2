"""Guards of reservations: the transitions of ``states.py``, and two more files."""

from booking import sold_guards
from booking.states import RESERVATION_TRANSITIONS, ReservationStatus
from common import guards
from common.guards import changed
from payments.guards import REFUSE

AFTER = ("catalogue", "payments")

_TABLE = "booking_reservation"
_FIRST, _CONFIRMED = ReservationStatus.AWAITING_PAYMENT.value, ReservationStatus.CONFIRMED.value
_PAID = guards.listed((ReservationStatus.PAID, ReservationStatus.REFUNDED), of=ReservationStatus)

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
            f"NEW.status <> '{_FIRST}'",
            "a reservation cannot begin as %",
            "NEW.status",
            constraint="reservation_transition",
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
        condition=changed("places", "amount", "currency"),
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

# Asked at COMMIT: payment and reservation are written by one transaction, in any order.
_MONEY = (
    guards.function(
        "booking_paid_has_money",
        guards.refuse_if(
            """
            NOT EXISTS (
                SELECT 1 FROM payments_payment p
                WHERE p.id = NEW.payment_id AND p.status = 'succeeded'
                  AND p.amount_captured = NEW.amount AND p.currency = NEW.currency
            )
            """,
            "reservation % cannot be %: its payment has not succeeded",
            "NEW.id",
            "NEW.status",
            constraint="reservation_paid_has_money",
        ),
        "RETURN NULL;",
    ),
    guards.at_commit(
        "reservation_paid_has_money",
        "AFTER INSERT OR UPDATE",
        _TABLE,
        calls="booking_paid_has_money",
        condition=f"NEW.status IN {_PAID}",
    ),
    guards.function(
        "booking_confirmed_has_part",
        guards.refuse_if(
            """
            NOT EXISTS (
                SELECT 1 FROM payments_payment p
                WHERE p.id = NEW.payment_id AND p.amount_captured > 0 AND p.amount_captured < NEW.amount
            )
            """,
            "reservation % is not held, and no part of its money is captured",
            "NEW.id",
            constraint="reservation_confirmed_has_part",
        ),
        "RETURN NULL;",
    ),
    guards.at_commit(
        "reservation_confirmed_has_part",
        "AFTER UPDATE OF status",
        _TABLE,
        calls="booking_confirmed_has_part",
        condition=f"OLD.status = '{_FIRST}' AND NEW.status = '{_CONFIRMED}'",
    ),
    guards.function(
        "booking_payment_is_fixed",
        guards.refuse(
            "reservation % keeps its operator and its payment",
            "OLD.id",
            code="restrict_violation",
            constraint="reservation_payment_is_fixed",
        ),
    ),
    guards.trigger(
        "reservation_payment_is_fixed",
        "BEFORE UPDATE OF payment_id, operator_id",
        _TABLE,
        calls="booking_payment_is_fixed",
        condition=changed("payment_id", "operator_id"),
    ),
    guards.function(
        "booking_payment_is_its_own",
        guards.refuse_if(
            """
            NOT EXISTS (
                SELECT 1 FROM payments_payment p
                WHERE p.id = NEW.payment_id AND p.managed_by = 'reservation' AND p.operator_id = NEW.operator_id
            )
            """,
            "the payment of reservation % is not driven by it",
            "NEW.id",
            constraint="reservation_payment_is_its_own",
        ),
        "RETURN NULL;",
    ),
    guards.at_commit("reservation_payment_is_its_own", "AFTER INSERT", _TABLE, calls="booking_payment_is_its_own"),
)

GUARDS = (*_MOVES, *_HISTORY, *_MONEY, *sold_guards.GUARDS)

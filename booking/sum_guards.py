"""Guards of sums (P13): a reservation says what its rows come to.

The sums stand on the reservation, are changed with its lock held, and are compared with their rows at COMMIT; what can
be said of one row is a CHECK of the model. That an amount was captured is proven by ``webhooks/guards.py``.
"""

from booking.states import OWES_NOTHING_BY_STATUS, SELLING, AdjustmentKind, PayBy, ReservationStatus
from common import guards
from common.guards import changed
from payments.guards import REFUSE

_RESERVATION, _PAYMENT = "booking_reservation", "payments_payment"
_ADJUSTMENT, _RECEIPT = "booking_adjustment", "booking_receipt"
_SELLING = guards.listed(SELLING, of=AdjustmentKind)
_NOTHING = guards.listed(OWES_NOTHING_BY_STATUS, of=ReservationStatus)
_FIRST, _CONFIRMED = ReservationStatus.AWAITING_PAYMENT.value, ReservationStatus.CONFIRMED.value
_REFUNDED = ReservationStatus.REFUNDED.value

# What is sold is what its units and the changes of its price come to; a unit is sold with its reservation, or not at
# all.
_SOLD = (
    guards.function(
        "booking_sold_is_its_units",
        """
        CASE TG_TABLE_NAME
            WHEN 'booking_reservation' THEN whose := NEW.id;
            ELSE whose := NEW.reservation_id;
        END CASE;
        SELECT r.id, r.amount, r.places INTO sale FROM booking_reservation r WHERE r.id = whose;
        SELECT coalesce(sum(u.amount), 0) AS amount, count(*) AS places INTO units FROM booking_unit u
            WHERE u.reservation_id = whose;
        IF TG_TABLE_NAME <> 'booking_unit'
           OR (sale.amount, sale.places) IS DISTINCT FROM (units.amount, units.places) THEN
            SELECT coalesce(sum(a.amount), 0) AS amount, count(a.unit_id) AS places INTO changes
                FROM booking_adjustment a WHERE a.reservation_id = whose AND a.kind IN SELLING_KINDS;
            units.amount := units.amount + changes.amount;
            units.places := units.places - changes.places;
        END IF;
        """.replace("SELLING_KINDS", _SELLING),
        guards.refuse_if(
            "(sale.amount, sale.places) IS DISTINCT FROM (units.amount, units.places)",
            "reservation % was sold for % in % places, and its units and changes come to % in %",
            "whose",
            "sale.amount",
            "sale.places",
            "units.amount",
            "units.places",
            constraint="reservation_sold_is_its_units",
        ),
        "RETURN NULL;",
        declare="""
        whose uuid;
        sale record;
        units record;
        changes record;
        """,
    ),
    guards.at_commit(
        "adjustment_changes_what_is_sold",
        "AFTER INSERT",
        _ADJUSTMENT,
        calls="booking_sold_is_its_units",
        condition=f"NEW.kind IN {_SELLING}",
    ),
    guards.at_commit(
        "unit_is_sold_with_its_reservation", "AFTER INSERT", "booking_unit", calls="booking_sold_is_its_units"
    ),
    guards.at_commit(
        "reservation_sold_is_its_units",
        "AFTER UPDATE OF amount, places",
        _RESERVATION,
        calls="booking_sold_is_its_units",
        condition=changed("amount", "places"),
    ),
)

_SUMS = (
    guards.function(
        "booking_sums_are_right",
        f"""
        CASE TG_TABLE_NAME
            WHEN '{_PAYMENT}' THEN whose := NEW.managed_id;
            WHEN '{_RESERVATION}' THEN whose := NEW.id;
            ELSE whose := NEW.reservation_id;
        END CASE;
        SELECT r.amount_owed AS owed, r.amount_proven AS proven, r.amount_collected AS collected,
               CASE WHEN r.status IN {_NOTHING} THEN 0
                    ELSE r.amount + (SELECT coalesce(sum(a.amount), 0) FROM booking_adjustment a
                                     WHERE a.reservation_id = r.id AND a.kind NOT IN {_SELLING}) END AS owed_by_rows,
               (SELECT coalesce(sum(c.amount), 0) FROM booking_receipt c
                WHERE c.reservation_id = r.id AND c.approved_at IS NOT NULL) AS collected_by_rows,
               (SELECT coalesce(sum(p.amount_captured - p.amount_refunded), 0) FROM payments_payment p
                WHERE p.managed_id = r.id AND p.managed_by = 'reservation' AND p.operator_id = r.operator_id
                  AND p.currency = r.currency) AS proven_by_rows
            INTO sums FROM booking_reservation r WHERE r.id = whose;
        """,
        guards.refuse_if(
            "(sums.owed, sums.proven, sums.collected)\n"
            "    IS DISTINCT FROM (sums.owed_by_rows, sums.proven_by_rows, sums.collected_by_rows)",
            "reservation % owes %, % are proven and % collected; its rows come to %, % and %, in minor units",
            "whose",
            "sums.owed",
            "sums.proven",
            "sums.collected",
            "sums.owed_by_rows",
            "sums.proven_by_rows",
            "sums.collected_by_rows",
            constraint="reservation_sums",
        ),
        guards.refuse_if(
            "sums IS NULL",
            "there is no reservation %",
            "whose",
            constraint="reservation_sums",
        ),
        "RETURN NULL;",
        declare="""
        whose uuid;
        sums record;
        """,
    ),
    guards.at_commit(
        "reservation_sums",
        "AFTER UPDATE OF amount, amount_owed, amount_proven, amount_collected, status, currency",
        _RESERVATION,
        calls="booking_sums_are_right",
        condition=changed("amount", "amount_owed", "amount_proven", "amount_collected", "currency")
        + f"\nOR (OLD.status IN {_NOTHING}) <> (NEW.status IN {_NOTHING})",
    ),
    guards.at_commit(
        "payment_is_in_the_sums",
        "AFTER UPDATE OF amount_captured, amount_refunded, currency",
        _PAYMENT,
        calls="booking_sums_are_right",
        condition="NEW.managed_by = 'reservation' AND\n" + changed("amount_captured", "amount_refunded", "currency"),
    ),
    guards.at_commit("adjustment_is_in_the_sums", "AFTER INSERT", _ADJUSTMENT, calls="booking_sums_are_right"),
    # A sale on account begins with its receipt.
    guards.at_commit(
        "reservation_begins_with_its_sums",
        "AFTER INSERT",
        _RESERVATION,
        calls="booking_sums_are_right",
        condition="NEW.amount_collected <> 0",
    ),
    guards.at_commit("receipt_is_in_the_sums", "AFTER INSERT OR UPDATE", _RECEIPT, calls="booking_sums_are_right"),
    *guards.append_only(_ADJUSTMENT, "adjustment_is_append_only", by=REFUSE),
)

_MONEY = (
    # Places are confirmed without a hold only with a part of the money, and refunded only when all of it is back.
    guards.function(
        "booking_reservation_has_its_money",
        guards.refuse_if(
            f"OLD.status = '{_FIRST}' AND NEW.status = '{_CONFIRMED}'\n"
            "    AND NEW.amount_proven = 0 AND NEW.amount_collected = 0 AND NEW.amount_owed > 0",
            "reservation % is not held, and no part of its money has come",
            "NEW.id",
            constraint="reservation_confirmed_has_part",
        ),
        guards.refuse_if(
            f"NEW.status = '{_REFUNDED}' AND OLD.status <> '{_REFUNDED}'\n"
            "    AND (NEW.amount_proven <> 0 OR NEW.amount_collected <> 0)",
            "reservation % is not refunded: money of it is not back",
            "NEW.id",
            constraint="reservation_refunded_is_back",
        ),
        "RETURN NEW;",
    ),
    guards.trigger(
        "reservation_has_its_money", "BEFORE UPDATE OF status", _RESERVATION, calls="booking_reservation_has_its_money"
    ),
    guards.function(
        "booking_operator_is_fixed",
        guards.refuse(
            "reservation % keeps its operator",
            "OLD.id",
            code="restrict_violation",
            constraint="reservation_operator_is_fixed",
        ),
    ),
    guards.trigger(
        "reservation_operator_is_fixed",
        "BEFORE UPDATE OF operator_id",
        _RESERVATION,
        calls="booking_operator_is_fixed",
        condition=changed("operator_id"),
    ),
    # Asked at COMMIT: payments and reservation are written by one transaction, in any order. The number of attempts
    # tells who has locked a reservation whether it knows all its payments.
    guards.function(
        "booking_payments_are_its_own",
        f"""
        CASE TG_TABLE_NAME
            WHEN '{_PAYMENT}' THEN whose := NEW.managed_id;
            ELSE whose := NEW.id;
        END CASE;
        SELECT r.attempts, r.payment_id, r.operator_id, r.currency INTO sale FROM booking_reservation r
            WHERE r.id = whose;
        SELECT count(*) AS attempts, count(*) FILTER (WHERE p.id = sale.payment_id) AS shown INTO own
            FROM payments_payment p
            WHERE p.managed_id = whose AND p.managed_by = 'reservation' AND p.operator_id = sale.operator_id
              AND p.currency = sale.currency;
        """,
        guards.refuse_if(
            "(sale.attempts, least(sale.attempts, 1)) IS DISTINCT FROM (own.attempts, own.shown)",
            "the payment of reservation % is not driven by it, or it counts % payments and has %",
            "whose",
            "sale.attempts",
            "own.attempts",
            constraint="reservation_payments_are_its_own",
        ),
        "RETURN NULL;",
        declare="""
        whose uuid;
        sale record;
        own record;
        """,
    ),
    guards.at_commit(
        "reservation_payments_are_its_own", "AFTER INSERT", _RESERVATION, calls="booking_payments_are_its_own"
    ),
    guards.at_commit(
        "reservation_payments_stay_its_own",
        "AFTER UPDATE OF payment_id, attempts",
        _RESERVATION,
        calls="booking_payments_are_its_own",
        condition=changed("payment_id", "attempts"),
    ),
    guards.at_commit(
        "payment_is_counted",
        "AFTER INSERT",
        _PAYMENT,
        calls="booking_payments_are_its_own",
        condition="NEW.managed_by = 'reservation'",
    ),
)

_HELD = (
    # What a provider is to be paid by is pending only by a hold at the provider.
    guards.function(
        "booking_pending_is_held",
        guards.refuse_if(
            """
            NOT EXISTS (
                SELECT 1 FROM payments_payment p
                WHERE p.managed_id = NEW.id AND p.managed_by = 'reservation' AND p.held_at IS NOT NULL
            )
            """,
            "no money of reservation % is held",
            "NEW.id",
            constraint="reservation_pending_is_held",
        ),
        "RETURN NULL;",
    ),
    guards.at_commit(
        "reservation_pending_is_held",
        "AFTER UPDATE OF status",
        _RESERVATION,
        calls="booking_pending_is_held",
        condition=f"NEW.status = '{ReservationStatus.PENDING.value}' AND OLD.status <> NEW.status\n"
        f"AND NEW.pay_by = '{PayBy.PROVIDER.value}'",
    ),
)

GUARDS = (*_SOLD, *_SUMS, *_MONEY, *_HELD)

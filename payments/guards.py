"""Guards of payments, commands, refunds and disputes, from ``states.py``."""

from common import guards
from common.guards import changed
from payments.states import (
    COMMAND_TRANSITIONS,
    PAYMENT_FINAL,
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
    PaymentStatus,
)

AFTER = ("tenants",)

REFUSE = "payments_refuse"
"""The function that refuses to change what is append-only, here and in the apps above."""

_PAYMENT, _COMMAND, _REFUND = "payments_payment", "payments_command", "payments_refund"
_ACCOUNT = "payments_provideraccount"
_FIRST = guards.listed((PaymentStatus.REQUIRES_CONFIRMATION, PaymentStatus.PROCESSING), of=PaymentStatus)
_FINAL = guards.listed(PAYMENT_FINAL, of=PaymentStatus)

# An account through which payments were made stays what it is: what they prove, and who owes, is read by it.
_ACCOUNTS = (
    guards.function(
        "payments_account_is_fixed",
        guards.refuse_if(
            """
            EXISTS (
                SELECT 1 FROM payments_payment p
                WHERE p.operator_id = OLD.operator_id AND p.provider = OLD.provider
                  AND p.provider_account = OLD.reference
            )
            """,
            "account % has payments and stays what it is",
            "OLD.id",
            code="restrict_violation",
            constraint="account_is_fixed",
        ),
        "RETURN NEW;",
    ),
    guards.trigger(
        "account_is_fixed",
        "BEFORE UPDATE OF operator_id, provider, reference, mode",
        _ACCOUNT,
        calls="payments_account_is_fixed",
        condition=changed("operator_id", "provider", "reference", "mode"),
    ),
    *guards.kept(_ACCOUNT, "account_is_kept", by=REFUSE),
)

_PAYMENTS = (
    guards.function(
        "payments_payment_moves",
        guards.moves("payment", PAYMENT_TRANSITIONS),
        guards.explained("payment"),
        "RETURN NEW;",
    ),
    guards.trigger("payment_moves", "BEFORE UPDATE OF status", _PAYMENT, calls="payments_payment_moves"),
    guards.function(
        "payments_payment_begins",
        guards.refuse_if(
            f"NEW.status NOT IN {_FIRST} OR NEW.amount_captured <> 0",
            "a payment cannot begin as %",
            "NEW.status",
            constraint="payment_transition",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("payment_begins", "BEFORE INSERT", _PAYMENT, calls="payments_payment_begins"),
    guards.function(
        "payments_payment_is_fixed",
        guards.refuse(
            "payment % stays with its operator, its account and what drives it",
            "OLD.id",
            code="restrict_violation",
            constraint="payment_is_fixed",
        ),
    ),
    guards.trigger(
        "payment_is_fixed",
        "BEFORE UPDATE OF operator_id, provider, provider_account, provider_ref, managed_by, managed_id, managed_part",
        _PAYMENT,
        calls="payments_payment_is_fixed",
        condition=changed("operator_id", "provider", "provider_account", "managed_by", "managed_id", "managed_part")
        + "\n"
        "OR (OLD.provider_ref <> '' AND NEW.provider_ref <> OLD.provider_ref)",
    ),
    *guards.kept(_PAYMENT, "payment_is_kept", by=REFUSE),
)

# A payment is checked while anything about it is open. Kept by the database, so that no code path can forget it.
_NEXT_CHECK = (
    guards.function(
        "payments_payment_next_check",
        f"""
        NEW.next_check_at := CASE WHEN NEW.status NOT IN {_FINAL}
                                 OR NEW.amount_refunding > 0 OR NEW.stuck_at IS NOT NULL THEN now() END;
        RETURN NEW;
        """,
    ),
    guards.trigger("payment_has_a_next_check", "BEFORE INSERT", _PAYMENT, calls="payments_payment_next_check"),
    guards.trigger(
        "payment_is_checked_anew",
        "BEFORE UPDATE",
        _PAYMENT,
        calls="payments_payment_next_check",
        condition=changed("status", "amount_refunding", "stuck_at"),
    ),
)

_PAYMENT_HISTORY = (
    *guards.status_history(_PAYMENT, "payment", into="payments_paymenthistory", key="payment_id"),
    # No code of ours changes what a payment is of; who does it by hand is told of.
    guards.function(
        "payments_payment_amount_history",
        f"""
        INSERT INTO payments_paymenthistory (payment_id, at, from_status, to_status, actor, reason)
        VALUES (NEW.id, clock_timestamp(), NEW.status, NEW.status,
                {guards.ACTOR},
                format('amount %s %s → %s %s, in minor units', OLD.amount, OLD.currency, NEW.amount, NEW.currency));
        RETURN NULL;
        """,
    ),
    guards.trigger(
        "payment_history_of_amount",
        "AFTER UPDATE OF amount, currency",
        _PAYMENT,
        calls="payments_payment_amount_history",
        condition=changed("amount", "currency"),
    ),
    *guards.append_only("payments_paymenthistory", "history_is_append_only", by=REFUSE),
)

_COMMANDS = (
    guards.function(
        "payments_command_moves",
        guards.moves("command", COMMAND_TRANSITIONS),
        guards.refuse_if(
            changed("id", "payment_id", "kind", "amount", "parameters"),
            "what a command asks for is frozen",
            constraint="command_frozen",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("command_moves", "BEFORE UPDATE", _COMMAND, calls="payments_command_moves"),
    # What decides about money is never taken back: the number of claims, what was turned away, a saved answer.
    guards.function(
        "payments_command_facts_only_grow",
        guards.refuse_if(
            """
            NEW.attempts < OLD.attempts OR NEW.extra_attempts < OLD.extra_attempts OR NEW.turned_away < OLD.turned_away
                OR (OLD.answer_saved AND NOT NEW.answer_saved)
            """,
            "what is known of a command's attempts is never taken back",
            constraint="command_facts_only_grow",
        ),
        "RETURN NEW;",
    ),
    guards.trigger(
        "command_facts_only_grow",
        "BEFORE UPDATE OF attempts, extra_attempts, turned_away, answer_saved",
        _COMMAND,
        calls="payments_command_facts_only_grow",
    ),
    *guards.kept(_COMMAND, "command_is_kept", by=REFUSE),
    *guards.kept("payments_checkattempt", "check_attempt_is_kept", by=REFUSE),
)

_REFUNDS = (
    guards.function("payments_refund_moves", guards.moves("refund", REFUND_TRANSITIONS), "RETURN NEW;"),
    guards.trigger("refund_moves", "BEFORE UPDATE", _REFUND, calls="payments_refund_moves"),
    *guards.kept(_REFUND, "refund_is_kept", by=REFUSE),
    guards.function(
        "payments_refund_history",
        """
        INSERT INTO payments_refundhistory (refund_id, at, from_status, to_status, amount, failure_code)
        VALUES (NEW.id, NEW.changed_at, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END, NEW.status, NEW.amount,
                NEW.failure_code);
        RETURN NULL;
        """,
    ),
    guards.trigger("refund_history_of_insert", "AFTER INSERT", _REFUND, calls="payments_refund_history"),
    guards.trigger(
        "refund_history_of_update",
        "AFTER UPDATE OF status, amount",
        _REFUND,
        calls="payments_refund_history",
        condition=changed("status", "amount"),
    ),
    *guards.append_only("payments_refundhistory", "refund_history_is_append_only", by=REFUSE),
    *guards.kept("payments_dispute", "dispute_is_kept", by=REFUSE),
)

GUARDS = (
    guards.refusal(REFUSE, "it is append-only"),
    *_ACCOUNTS,
    *_PAYMENTS,
    *_NEXT_CHECK,
    *_PAYMENT_HISTORY,
    *_COMMANDS,
    *_REFUNDS,
)

"""Guards of events, of money that needs evidence, and of notices."""

from common import guards
from common.guards import changed
from payments.guards import REFUSE
from payments.states import PaymentStatus

AFTER = ("payments", "booking")

_EVENT, _PAYMENT = "webhooks_event", "payments_payment"
_NOTICE = "webhooks_notice"
_TOLD = changed(
    "id", "provider", "account", "secret_name", "delivery_id", "digest", "type", "lookup_ref", "payload", "received_at"
)
_CONTENT = changed(
    "id", "provider", "account", "event_id", "type", "object_ref", "problem", "live", "api_version", "occurred_at",
    "source", "endpoint", "proven_account", "secret_name", "payload", "captured_amount", "captured_currency",
    "received_at", "attested_by", "attested_because",
)  # fmt: skip

_EVIDENCE = (
    guards.function(
        "webhooks_event_is_evidence",
        guards.refuse_if(
            f"{_CONTENT}\n"
            "    OR (OLD.payment_id IS NOT NULL AND NEW.payment_id IS DISTINCT FROM OLD.payment_id)\n"
            "    OR (OLD.status = 'applied' AND NEW.status <> 'applied')",
            "event % is evidence and is not changed",
            "OLD.id",
            code="restrict_violation",
            constraint="event_is_evidence",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("event_is_evidence", "BEFORE UPDATE", _EVENT, calls="webhooks_event_is_evidence"),
    *guards.kept(_EVENT, "event_is_kept", by=REFUSE),
)

# How an event was verified is asked when it is stored, and again when it is applied, however much later that is:
# by then the account may have got, changed or lost secrets of its own.
_PROVEN = (
    guards.function(
        "webhooks_event_is_proven",
        """
        IF NEW.proven_account IS NULL THEN
            IF NEW.status <> 'applied' THEN
                RETURN NEW;  -- kept, and applied by nobody
            END IF;
            RAISE EXCEPTION 'nobody knows how event % was verified', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'event_is_proven';
        END IF;
        """,
        guards.refuse_if(
            "NEW.secret_name <> coalesce(nullif(own, ''), upper(NEW.provider) || kind)",
            "event % was verified by %, which is no secret of its account",
            "NEW.id",
            "NEW.secret_name",
            constraint="event_is_proven",
        ),
        guards.refuse_if(
            """
            NEW.status = 'applied' AND NOT EXISTS (
                SELECT 1 FROM payments_payment p
                WHERE p.id = NEW.payment_id AND p.provider = NEW.provider AND p.provider_account = NEW.proven_account
            )
            """,
            "event % is of another account than its payment",
            "NEW.id",
            constraint="event_is_of_its_payment",
        ),
        "RETURN NEW;",
        declare="""
        own text := (SELECT CASE NEW.source WHEN 'webhook' THEN webhook_secrets_name ELSE secret_name END
                     FROM payments_provideraccount
                     WHERE provider = NEW.provider AND reference = NEW.account AND reference <> '');
        kind text := CASE NEW.source WHEN 'webhook' THEN '_WEBHOOK_SECRETS' ELSE '_API_KEY' END;
        """,
    ),
    guards.trigger("event_is_proven_when_stored", "BEFORE INSERT", _EVENT, calls="webhooks_event_is_proven"),
    guards.trigger(
        "event_is_proven_when_applied",
        "BEFORE UPDATE OF status",
        _EVENT,
        calls="webhooks_event_is_proven",
        condition="NEW.status = 'applied' AND OLD.status <> 'applied'",
    ),
)

_MONEY = (
    # Whatever of a payment its evidence must agree with, a change of it is held against the evidence.
    guards.function(
        "webhooks_captured_has_event",
        guards.refuse_if(
            """
            NOT EXISTS (
                SELECT 1 FROM webhooks_event e
                WHERE e.id = NEW.captured_event_id AND e.payment_id = NEW.id AND e.status = 'applied'
                  AND e.provider = NEW.provider AND e.object_ref = NEW.provider_ref
                  AND e.account = NEW.provider_account AND e.proven_account = NEW.provider_account
                  AND e.secret_name <> ''
                  AND e.captured_amount = NEW.amount_captured AND e.captured_currency = NEW.currency
            )
            """,
            "payment % has captured money without an event of it",
            "NEW.id",
            constraint="payment_event_proves_capture",
        ),
        "RETURN NULL;",
    ),
    guards.at_commit(
        "payment_event_proves_capture",
        "AFTER INSERT OR UPDATE OF status, amount_captured, captured_event_id, provider, provider_account, "
        "provider_ref, currency",
        _PAYMENT,
        calls="webhooks_captured_has_event",
        condition=f"NEW.status = '{PaymentStatus.SUCCEEDED.value}' OR NEW.amount_captured > 0 "
        "OR NEW.captured_event_id IS NOT NULL",
    ),
)

_NOTICES = (
    guards.refusal("webhooks_notice_is_kept", "what was told is kept"),
    *guards.kept(_NOTICE, "notice_is_kept", by="webhooks_notice_is_kept"),
    guards.trigger(
        "notice_tells_what_it_told",
        "BEFORE UPDATE",
        _NOTICE,
        calls="webhooks_notice_is_kept",
        condition=f"{_TOLD}\nOR NEW.deliveries < OLD.deliveries",
    ),
    # The number of the claim is the fence of who looks: it must never come back.
    guards.trigger(
        "notice_claims_only_grow",
        "BEFORE UPDATE OF attempts, extra_attempts",
        _NOTICE,
        calls="webhooks_notice_is_kept",
        condition="NEW.attempts < OLD.attempts OR NEW.extra_attempts < OLD.extra_attempts",
    ),
)

GUARDS = (*_EVIDENCE, *_PROVEN, *_MONEY, *_NOTICES)

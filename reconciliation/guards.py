"""Guards of discrepancies and of the provider's ledger."""

from common import guards
from common.guards import changed
from reconciliation.models import DISCREPANCY_TRANSITIONS

AFTER = ()

_DISCREPANCY, _ENTRY, _REFUSE = "reconciliation_discrepancy", "reconciliation_ledgerentry", "reconciliation_refuse"
_SEEN = changed("kind", "provider", "account", "subject", "summary", "difference", "evidence", "opened_at")
_RESOLVED = changed("resolved_at", "resolved_by", "resolved_because", "resolution")
_READ = changed("ref", "kind", "category", "amount", "fee", "net", "currency", "moved", "occurred_at")

GUARDS = (
    guards.refusal(_REFUSE, "it is kept"),
    guards.function(
        "reconciliation_discrepancy_moves",
        guards.moves("discrepancy", DISCREPANCY_TRANSITIONS),
        guards.refuse_if(
            f"{_SEEN}\n    OR (OLD.resolved_at IS NOT NULL AND {_RESOLVED})",
            "what was seen of a discrepancy, and how it was resolved, is kept",
            constraint="discrepancy_frozen",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("discrepancy_moves", "BEFORE UPDATE", _DISCREPANCY, calls="reconciliation_discrepancy_moves"),
    *guards.kept(_DISCREPANCY, "discrepancy_is_kept", by=_REFUSE),
    guards.function(
        "reconciliation_ledgerentry_is_kept",
        guards.refuse_if(
            f"{_READ}\n    OR (OLD.payout_ref <> '' AND OLD.payout_ref <> NEW.payout_ref)",
            "a line of the ledger is kept as it was read",
            constraint="ledger_entry_frozen",
        ),
        "RETURN NEW;",
    ),
    guards.trigger("ledger_entry_is_frozen", "BEFORE UPDATE", _ENTRY, calls="reconciliation_ledgerentry_is_kept"),
    *guards.kept(_ENTRY, "ledger_entry_is_kept", by=_REFUSE),
)

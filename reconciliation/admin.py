"""Reconciliation in the backoffice: discrepancies with evidence, and the provider's ledger."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone_name

from adminkit.actions import reasoned
from adminkit.pages import ReadOnlyAdmin, SuperuserAdmin, add_actions, once
from common import currencies
from payments import formatting, timeline
from payments.models import Payment, ProviderThrottle
from reconciliation import actions
from reconciliation.models import Discrepancy, LedgerEntry, SettlementRun
from tenants.roles import Permission

_FIGURES = frozenset(("amount", "captured", "refunded", "refunding", "fee", "fees", "net", "moved"))


def _side(side: dict[str, Any], name: str, currency: str) -> Any:
    """Write what a side has: an amount as money, anything else as it is."""
    value = side.get(name, "—")
    if name not in _FIGURES or not isinstance(value, int):
        return value
    return currencies.shown(value, side.get("moved_currency" if name == "moved" else "currency") or currency)


def _two_sides(lines: Iterable[tuple[str, Any, Any]]) -> SafeString:
    rows = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", lines)
    head = "<thead><tr><th></th><th>Here</th><th>At the provider</th></tr></thead>"
    return format_html("<table>" + head + "<tbody>{}</tbody></table>", rows)


class _LedgerAdmin(ReadOnlyAdmin, SuperuserAdmin):
    """Pages for superusers only: all operators that share an account share its ledger."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Show all; who may look at all is asked before."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows if self.has_view_permission(request) else rows.none()


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnlyAdmin):
    """Discrepancies. Only superusers see those without an operator."""

    list_display = ("subject", "kind", "status", "payment_link", "summary", "operator", "opened_at")
    export_fields = (
        "id", "operator__slug", "kind", "provider", "account", "subject", "payment", "summary", "difference", "status",
        "opened_at", "acknowledged_at", "acknowledged_by", "acknowledged_because", "resolved_at", "resolved_by",
        "resolved_because", "resolution",
    )  # fmt: skip
    list_filter: ClassVar = ["status", "kind"]
    list_select_related: ClassVar = ["payment", "operator"]
    searched_exactly = ("subject", "payment__provider_ref")
    sortable_by = ()
    period = "id"
    fieldsets: ClassVar = [
        (None, {"fields": [
            ("kind", "status", "payment_link"), "subject", "summary", ("operator", "provider", "account"), "sides",
            ("opened_at", "opened_by"), ("acknowledged_at", "acknowledged_by", "acknowledged_because"),
            ("resolved_at", "resolved_by", "resolved_because"), "resolution",
        ]}),
        ("Timeline", {"fields": ["happened"]}),
        ("Evidence", {"fields": ["evidence_shown"]}),
    ]  # fmt: skip
    readonly_fields: ClassVar = ["payment_link", "sides", "happened", "evidence_shown"]

    @admin.display(description="payment")
    def payment_link(self, row: Discrepancy) -> SafeString | str:
        """Link to the payment."""
        return formatting.link(row.payment)

    @admin.display(description="both sides")
    def sides(self, row: Discrepancy) -> SafeString | str:
        """Show the figures of both sides, line by line."""
        ours, theirs = row.difference.get("ours") or {}, row.difference.get("theirs") or {}
        if not ours and not theirs:
            return "—"
        known = ours.get("currency") or theirs.get("currency") or (row.payment.currency if row.payment else "")
        names = list(dict.fromkeys([*ours, *theirs]))
        lines = ((name, *(_side(side, name, known) for side in (ours, theirs))) for name in names)
        return _two_sides(lines)

    @admin.display(description="timeline")
    @once
    def happened(self, row: Discrepancy) -> SafeString | str:
        """Show the payment's history and what people did about this."""
        entries = timeline.of_people([row]) if row.payment is None else timeline.of_payment(row.payment, also=[row])
        zone = row.operator.timezone if row.operator else get_current_timezone_name()
        return timeline.shown(entries, zone=zone) if entries else "—"

    @admin.display(description="evidence, as it was")
    def evidence_shown(self, row: Discrepancy) -> SafeString:
        """Show what was kept when it was opened."""
        return format_html("<pre>{}</pre>", json.dumps(row.evidence, indent=2))

    actions = tuple(
        reasoned(description, act, name=act.__name__, permission=Permission.MONEY)
        for description, act in (
            ("Acknowledge: I am at it", actions.acknowledge),
            ("Recover the event from the provider", actions.recover_events),
            ("Send the command again", actions.send_again),
            ("Release the hold", actions.release_hold),
            ("Give back what is left", actions.refund),
            ("Try again: ask for a refund that failed once more", actions.refund_again),
            ("Done another way: the money was given back as I say", actions.refunded_otherwise),
            ("Vouch for it: accept the provider's object as evidence", actions.attest),
            ("Accept the difference", actions.accept),
        )
    )


@admin.register(SettlementRun)
class SettlementRunAdmin(_LedgerAdmin):
    """Each day's comparison with the provider's ledger."""

    list_display = ("date", "provider", "account", "status", "payments", "payouts", "differences", "finished_at")
    list_filter: ClassVar = ["status"]
    readonly_fields: ClassVar = ["totals_shown"]
    exclude: ClassVar = ["totals"]

    @admin.display(description="totals")
    def totals_shown(self, row: SettlementRun) -> SafeString:
        """Show the totals by currency, here and at the provider."""
        lines = []
        for code, side in (row.totals.get("payments") or {}).items():
            for name in ("captured", "refunded"):
                here, there = (currencies.shown(side[name][where], code) for where in ("here", "there"))
                lines.append((f"{name}, of {side['payments']} payments", here, there))
        for code, side in (row.totals.get("balances") or {}).items():
            lines += [(name, "—", currencies.shown(side[name], code)) for name in ("fees", "net")]
        return _two_sides(lines)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(_LedgerAdmin):
    """The provider's ledger, line by line."""

    paid, fees, left = formatting.money("amount"), formatting.money("fee"), formatting.money("net")
    by_customer = formatting.money("moved", currency="moved_currency", description="paid by the customer")
    exclude: ClassVar = ["amount", "fee", "net", "currency", "moved", "moved_currency"]
    readonly_fields: ClassVar = ["paid", "fees", "left", "by_customer"]
    export_values: ClassVar = {
        **{name: formatting.number(name) for name in ("amount", "fee", "net")},
        "moved": formatting.number("moved", currency="moved_currency"),
    }
    export_fields = (
        "provider", "account", "ref", "kind", "category", "payment_ref", "amount", "fee", "net", "currency", "moved",
        "moved_currency", "occurred_at", "payout_ref",
    )  # fmt: skip
    list_display = ("ref", "kind", "category", "payment_ref", "paid", "fees", "left", "occurred_at", "payout_ref")
    searched_exactly = ("ref", "payment_ref", "payout_ref")
    sortable_by = ()
    period = "occurred_at"


@admin.register(ProviderThrottle)
class ProviderThrottleAdmin(_LedgerAdmin):
    """The call rate of each provider account, and any pause."""

    list_display = ("provider", "account", "minute", "calls", "failures", "paused_until", "paused_because")


add_actions(
    Payment,
    reasoned("Ask the provider now", actions.check_now, name="check_now", permission=Permission.MONEY),
    reasoned("Recover its events", actions.recover_events_of, name="recover_events", permission=Permission.MONEY),
)

"""Payments, commands and refunds in the backoffice, with a command's retry."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from adminkit.actions import reasoned
from adminkit.pages import ReadOnlyAdmin, once
from payments import commands, formatting, managers, timeline
from payments.models import Command, Dispute, Payment, Refund
from tenants.roles import Permission


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Payments, with all that happened to them."""

    money = formatting.money("amount")
    captured = formatting.money("amount_captured", description="captured")
    refunded = formatting.money("amount_refunded", description="refunded")
    list_display = (
        "__str__",
        "money",
        "stands",
        "captured",
        "refunded",
        "is_stuck",
        "operator",
        "created_at",
    )
    list_filter: ClassVar = ["status", ("stuck_at", admin.EmptyFieldListFilter)]
    searched_exactly = ("provider_ref", "id")
    sortable_by = ()
    period = "id"
    export_fields = (
        "id", "operator__slug", "provider", "provider_account", "provider_ref", "managed_by", "status", "amount",
        "amount_captured", "amount_refunding", "amount_refunded", "currency", "failure_code", "stuck_at", "created_at",
        "changed_at",
    )  # fmt: skip
    export_values: ClassVar = {
        name: formatting.number(name) for name in ("amount", "amount_captured", "amount_refunding", "amount_refunded")
    }
    fieldsets: ClassVar = [
        (None, {"fields": [
            ("status", "failure_code", "failure_message"),
            ("money", "captured", "refunded"),
            ("reservation_link", "capture_method", "capture_before"),
            ("operator", "provider", "provider_account"),
            ("id", "provider_ref", "stuck_because"),
        ]}),
        ("Timeline", {"fields": ["happened"]}),
    ]  # fmt: skip
    readonly_fields: ClassVar = ["money", "captured", "refunded", "happened", "reservation_link"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        """Read what the list and the page show with it."""
        return super().get_queryset(request).select_related("operator")

    @admin.display(description="status")
    def stands(self, row: Payment) -> SafeString:
        """Show where it stands."""
        return formatting.status(row)

    @admin.display(description="stuck")
    def is_stuck(self, row: Payment) -> SafeString | str:
        """Show whether a person is needed; nothing where nobody is."""
        return formatting.alarm("stuck") if row.stuck_at is not None else "—"

    @admin.display(description="reservation")
    def reservation_link(self, row: Payment) -> SafeString | str:
        """Link to the reservation that drives it."""
        return formatting.link(managers.find_driver(row))

    @admin.display(description="timeline")
    @once
    def happened(self, row: Payment) -> SafeString:
        """Show all that happened to it."""
        return timeline.shown(timeline.of_payment(row), zone=row.operator.timezone)


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    """What was asked of a provider, and what came of it."""

    operator_path = "payment__operator"
    money = formatting.money("amount", currency="payment__currency")
    fields: ClassVar = [
        "payment", "refund", "kind", "status", "attempts", "extra_attempts", "turned_away", "answer_saved",
        "next_attempt_at", "leased_until", "leased_by", "last_error", "provider_request_id", "requested_by", "reason",
        "created_at", "first_sent_at", "finished_at", "money",
    ]  # fmt: skip
    readonly_fields: ClassVar = ["money"]
    list_display = (
        "kind",
        "payment",
        "money",
        "status",
        "attempts",
        "next_attempt_at",
        "last_error",
        "created_at",
    )
    list_filter: ClassVar = ["status"]
    list_select_related: ClassVar = ["payment"]
    searched_exactly = ("payment__provider_ref", "id")
    sortable_by = ()
    period = "id"

    @staticmethod
    def _try_again(command: Command, actor: str, reason: str) -> str:
        commands.give_another_round(command_id=command.pk)
        return "The command is sent again, with the key that it has always had."

    actions = (
        reasoned(
            "Try again", _try_again, name="try_again", permission=Permission.MONEY, fits=lambda command: command.is_open
        ),
    )


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Money on its way back."""

    money = formatting.money("amount", currency="payment__currency")
    exclude: ClassVar = ["amount"]
    readonly_fields: ClassVar = ["money"]
    export_values: ClassVar = {"amount": formatting.number("amount", currency="payment__currency")}
    export_fields = (
        "id", "operator__slug", "payment", "payment__provider_ref", "provider_ref", "amount", "payment__currency",
        "status", "reason", "failure_code", "requested_by", "created_at", "changed_at",
    )  # fmt: skip
    list_display = (
        "__str__",
        "payment",
        "money",
        "status",
        "reason",
        "requested_by",
        "created_at",
    )
    list_filter: ClassVar = ["status"]
    list_select_related: ClassVar = ["payment"]
    searched_exactly = ("provider_ref", "payment__provider_ref")
    sortable_by = ()
    period = "id"


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """Chargebacks; they are answered at the provider."""

    money = formatting.money("amount")
    exclude: ClassVar = ["amount"]
    readonly_fields: ClassVar = ["money"]
    export_values: ClassVar = {"amount": formatting.number("amount")}
    export_fields = (
        "id", "operator__slug", "payment", "payment__provider_ref", "provider_ref", "amount", "currency", "status",
        "is_closed", "reason", "respond_by", "created_at",
    )  # fmt: skip
    list_display = ("provider_ref", "payment", "money", "status", "is_closed", "reason", "respond_by")
    list_filter: ClassVar = ["is_closed"]
    list_select_related: ClassVar = ["payment"]
    searched_exactly = ("provider_ref", "payment__provider_ref")
    sortable_by = ()
    period = "id"

"""The desk's pages of receipts and tills."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from adminkit.actions import reasoned
from adminkit.pages import EditableAdmin, ReadOnlyAdmin
from booking import receipts, tills
from booking.models import Receipt, Till
from common import currencies, database, ids
from payments import formatting
from tenants import clocks
from tenants.roles import Permission


class OpenForm(forms.ModelForm[Till]):
    """A till to open."""

    amount = forms.DecimalField(
        label="In it at first",
        min_value=0,
        max_digits=14,
        decimal_places=3,
        help_text="Such as 100.00.",
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )

    class Meta:
        """The rest is written when it is counted."""

        model = Till
        fields: ClassVar = ["operator", "name", "currency"]


class CountForm(forms.Form):
    """What was counted in a till."""

    counted = forms.DecimalField(min_value=0, max_digits=14, decimal_places=3, help_text="Such as 240.00.")


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Money that no provider took."""

    operator_path = "reservation__operator"
    zone_path = "reservation__activity__timezone"
    money = formatting.money("amount", currency="reservation__currency")
    export_values: ClassVar = {"amount": formatting.number("amount", currency="reservation__currency")}
    list_display = ("taken", "reservation", "method", "money", "state", "till", "actor")
    list_filter: ClassVar = ["method"]
    list_select_related: ClassVar = ["reservation__activity", "till"]
    export_fields = (
        "id", "at", "reservation__reference", "method", "amount", "reservation__currency", "till__name", "reference",
        "actor", "reason", "approved_at", "approved_by", "declined_at",
    )  # fmt: skip
    period = "at"
    search_fields: ClassVar = ["reservation__reference", "reference"]
    fields: ClassVar = ["taken", "link", "method", "money", "state", "till", "reference", "actor", "reason", "decided"]
    readonly_fields: ClassVar = ["taken", "link", "money", "state", "decided"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Receipt]:
        """Read what the list and the page show with it."""
        return super().get_queryset(request).select_related("reservation__activity", "till")

    @admin.display(description="taken (local)", ordering="at")
    def taken(self, row: Receipt) -> str:
        """Show when, by the activity's clock."""
        return clocks.when(row.at, row.reservation.activity.timezone)

    @admin.display(description="reservation")
    def link(self, row: Receipt) -> SafeString | str:
        """Link to its reservation."""
        return formatting.link(row.reservation)

    @admin.display(description="counts")
    def state(self, row: Receipt) -> str:
        """Say whether it counts."""
        if row.declined_at is not None:
            return "declined"
        return "yes" if row.approved_at is not None else "waits for a second person"

    @admin.display(description="decided by")
    def decided(self, row: Receipt) -> str:
        """Say who approved or declined it."""
        return row.approved_by or "—"

    @staticmethod
    def _approve(row: Receipt, actor: str, reason: str) -> str:
        receipts.approve(receipt_id=row.pk, actor=actor)
        return f"{row} of {row.reservation} counts now."

    @staticmethod
    def _decline(row: Receipt, actor: str, reason: str) -> str:
        receipts.decline(receipt_id=row.pk, actor=actor)
        return f"{row} of {row.reservation} is declined."

    @staticmethod
    def _correct(row: Receipt, actor: str, reason: str) -> str:
        receipts.correct(receipt_id=row.pk, operation_id=ids.new_id(), actor=actor, reason=reason)
        return f"{row} of {row.reservation} is taken back."

    actions = (
        reasoned("Approve", _approve, name="approve", permission=Permission.MONEY,
                 fits=lambda row: row.approved_at is None and row.declined_at is None),
        reasoned("Decline", _decline, name="decline", permission=Permission.MONEY,
                 fits=lambda row: row.approved_at is None and row.declined_at is None),
        reasoned("Take back", _correct, name="correct", permission=Permission.MONEY,
                 fits=lambda row: row.approved_at is not None and row.amount > 0),
    )  # fmt: skip


@admin.register(Till)
class TillAdmin(EditableAdmin):
    """Tills, from their opening to their count."""

    permission = Permission.MONEY
    form = OpenForm
    refusals: ClassVar = {"till_open_once": "A till of this name is open."}
    zone_path = "operator__timezone"
    first, expected = formatting.money("amount_opened"), formatting.money("amount_expected")
    counted, difference = formatting.money("amount_counted"), formatting.money("difference")
    export_values: ClassVar = {
        name: formatting.number(name) for name in ("amount_opened", "amount_expected", "amount_counted")
    }
    list_display = ("name", "operator", "opened", "opened_by", "first", "closed", "expected", "counted", "difference")
    list_select_related: ClassVar = ["operator"]
    export_fields = (
        "id", "operator__slug", "name", "currency", "opened_at", "opened_by", "amount_opened", "closed_at", "closed_by",
        "amount_expected", "amount_counted", "closed_because",
    )  # fmt: skip
    period = "opened_at"
    search_fields: ClassVar = ["name"]
    told: ClassVar = [
        "name", "operator", "opened", "opened_by", "first", "in_it", "closed", "closed_by", "expected", "counted",
        "difference", "closed_because",
    ]  # fmt: skip
    readonly_fields: ClassVar = ["opened", "first", "in_it", "closed", "expected", "counted", "difference"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: it is counted by an action."""
        return False

    def get_fields(self, request: HttpRequest, obj: Till | None = None) -> Sequence[Any]:
        """Ask for little, and show all."""
        return ["operator", "name", "currency", "amount"] if obj is None else self.told

    def save_model(self, request: HttpRequest, obj: Till, form: Any, change: bool) -> None:
        """Open it in the person's name."""
        amount = currencies.to_minor(form.cleaned_data["amount"], obj.currency)
        obj.amount_opened, obj.opened_at = amount, database.now()
        obj.opened_by = f"user:{request.user.get_username()}"
        super().save_model(request, obj, form, change)

    @admin.display(description="opened (local)", ordering="opened_at")
    def opened(self, row: Till) -> str:
        """Show when it was opened, by the operator's clock."""
        return clocks.when(row.opened_at, row.operator.timezone)

    @admin.display(description="closed (local)", ordering="closed_at")
    def closed(self, row: Till) -> str:
        """Show when it was counted, by the operator's clock."""
        return clocks.when(row.closed_at, row.operator.timezone)

    @admin.display(description="in it by its receipts")
    def in_it(self, row: Till) -> str:
        """Show what has to be in it."""
        return currencies.shown(tills.expected(row), row.currency)

    @staticmethod
    def _close(row: Till, actor: str, reason: str, counted: Decimal) -> str:
        closed = tills.close(
            till_id=row.pk, counted=currencies.to_minor(counted, row.currency), actor=actor, reason=reason
        )
        difference = currencies.shown(closed.difference or 0, row.currency)
        return f"{row} is closed; the difference is {difference}."

    actions = (
        reasoned(
            "Count and close", _close, name="close", permission=Permission.MONEY, form=CountForm,
            fits=lambda row: row.closed_at is None,
        ),
    )  # fmt: skip

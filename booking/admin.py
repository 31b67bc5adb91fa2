"""Reservations, departures and what is sold, in the backoffice."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import TabularInline

from adminkit.actions import reasoned
from adminkit.large_lists import OwnRowsFilter
from adminkit.pages import ReadOnlyAdmin, once
from adminkit.staff_log import Entry as Told
from booking import actions, availability, expiring, guarded_admin, money_sentence, reservation_page, search
from booking import money_admin as money_admin
from booking.departure_form import DepartureForm
from booking.forms import WeeklyRuleForm
from booking.guarded_admin import ActivityForm, GuardedAdmin
from booking.models import Reservation
from booking.states import HOLDING
from catalogue import departures, offer_history, slots
from catalogue.models import Activity, Rate, Slot
from catalogue.rate_form import RateForm, RateFormSet
from common import currencies
from payments import formatting
from tenants import clocks, scoping
from tenants.roles import Permission


class RateInline(TabularInline):  # type: ignore[misc]  # the theme has no types
    """The price of each unit; reservations keep their old price."""

    model = Rate
    form = RateForm
    formset = RateFormSet
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let in who may see the activity."""
        return True

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


@admin.register(Activity)
class ActivityAdmin(GuardedAdmin):
    """Activities and things."""

    form = ActivityForm

    zone_path = "timezone"
    list_display = (
        "name",
        "operator",
        "timezone",
        "currency",
        "exclusive",
        "is_active",
    )
    list_filter: ClassVar = ["is_active", "exclusive"]
    list_select_related: ClassVar = ["operator"]
    search_fields: ClassVar = ["name"]
    inlines: ClassVar = [RateInline]

    def make_way(self, request: HttpRequest, row: Activity | None) -> None:
        """Expire past holds before an activity turns exclusive."""
        if row is None or row.exclusive or "exclusive" not in request.POST:
            return
        if self.has_change_permission(request, row):
            expiring.expire_due(among=Q(activity_id=row.pk))

    def fixed_fields(self, request: HttpRequest, obj: Activity | None) -> Sequence[Any]:
        """Fix what guests have bought.

        A page that was opened before and sends it is told an error.
        """
        return [name for name in (guarded_admin.fixed_of(obj) if obj else []) if name not in request.POST]

    def changes_of(self, row: Activity, zone: str) -> Sequence[Told]:
        """List changes of the activity, its prices and its departures."""
        return offer_history.of_activity(row.pk, zone=zone)

    @staticmethod
    def _generate(row: Activity, actor: str, reason: str, **rule: Any) -> str:
        wanted = departures.Rule(**rule)
        named = departures.number_named(wanted)
        made = departures.generate(activity_id=row.pk, rule=wanted, actor=actor, reason=reason)
        left_out = f" {named - made} left out: the activity already has a departure then." if made < named else ""
        return f"{made} departure{'' if made == 1 else 's'} made.{left_out}"

    actions = (
        reasoned(
            "Generate departures", _generate, name="generate", permission=Permission.CATALOGUE, form=WeeklyRuleForm
        ),
    )


@admin.register(Slot)
class SlotAdmin(GuardedAdmin):
    """Departures."""

    operator_path = "activity__operator"
    zone_path = "activity__timezone"
    form = DepartureForm
    list_display = (
        "leaves",
        "activity",
        "capacity",
        "reserved",
        "available",
        "state",
    )
    list_filter: ClassVar = ["is_closed", ("activity", OwnRowsFilter)]
    list_select_related: ClassVar = ["activity"]
    period = "starts_at"
    opens_today = True
    export_fields = ("id", "activity__name", "starts_at", "ends_at", "capacity", "reserved", "is_closed")
    search_fields: ClassVar = ["activity__name"]
    fields: ClassVar = ["activity", "starts_at", "ends_at", "capacity", "reserved", "is_closed"]

    def fixed_fields(self, request: HttpRequest, obj: Slot | None) -> Sequence[Any]:
        """Fix what a guest has bought.

        A page that was opened before and sends it is told an error.
        """
        fixed = ["reserved", "is_closed"]
        is_fixed = obj is not None and guarded_admin.is_sold(obj) and "activity" not in request.POST
        return fixed + (["activity", "starts_at", "ends_at"] if is_fixed else [])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Slot]:
        """Annotate whether each departure can be booked."""
        return availability.judged(super().get_queryset(request))

    @admin.display(description="leaves", ordering="starts_at")
    def leaves(self, row: Slot) -> str:
        """Show the start by the clock of the activity."""
        return clocks.when(row.starts_at, row.activity.timezone)

    @admin.display(description="sells")
    def state(self, row: Slot) -> str:
        """Say whether it takes reservations, and if not, why."""
        return availability.in_words(row)

    def changes_of(self, row: Slot, zone: str) -> Sequence[Told]:
        """List what changed of it."""
        return offer_history.of_departure(row.pk, zone=zone)

    @staticmethod
    def _close(slot: Slot, actor: str, reason: str) -> str:
        slots.close(slot_id=slot.pk, actor=actor, reason=reason)
        return f"{slot} is closed to new reservations."

    @staticmethod
    def _reopen(slot: Slot, actor: str, reason: str) -> str:
        slots.reopen(slot_id=slot.pk, actor=actor, reason=reason)
        return f"{slot} is open again."

    actions = (
        reasoned(
            "Close to new reservations",
            _close,
            name="close",
            permission=Permission.CATALOGUE,
            fits=lambda row: not row.is_closed,
        ),
        reasoned("Open again", _reopen, name="reopen", permission=Permission.CATALOGUE, fits=lambda row: row.is_closed),
    )


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """Reservations, with all that happened to each."""

    zone_path = "activity__timezone"
    money = formatting.money("amount")
    export_values: ClassVar = {
        name: formatting.number(name) for name in ("amount", "payment__amount_captured", "payment__amount_refunded")
    }
    list_display = (
        "reference", "stands", "activity", "departure", "customer_name", "places", "money", "payment_status", "created",
    )  # fmt: skip
    list_filter: ClassVar = ["status", ("activity", OwnRowsFilter)]
    sortable_by = ("created",)
    export_fields = (
        "id", "reference", "status", "operator__slug", "activity__name", "starts_at", "day", "places", "amount",
        "currency", "customer_name", "customer_email", "customer_reference", "payment__provider_ref", "payment__status",
        "payment__amount_captured", "payment__amount_refunded", "created_at", "confirmed_at", "paid_at", "metadata",
    )  # fmt: skip
    period = "id"
    search_fields: ClassVar = ["reference"]
    search_help_text = "A reference, a name, a mail address, or an id of the payment."
    fieldsets: ClassVar = [
        (None, {"fields": [
            ("reference", "status", "expires"),
            ("customer_name", "customer_email", "customer_reference"),
            ("operator", "activity", "departure"),
            ("places", "sold", "money"),
            ("where_money_is", "payment_link", "due"),
            ("rules", "metadata"),
        ]}),
        ("Timeline", {"fields": ["happened"]}),
    ]  # fmt: skip
    readonly_fields: ClassVar = [
        "departure", "sold", "money", "where_money_is", "payment_link", "due", "rules", "expires", "happened",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reservation]:
        """Read what the list and the page show with it."""
        return super().get_queryset(request).select_related("operator", "activity", "slot", "payment")

    def meant_by(self, text: str, request: HttpRequest) -> Q:
        """Find what a guest says."""
        return Q(pk__in=search.find(text, operators=scoping.operators_of(request.user)))

    def described(self, row: Reservation) -> str:
        """Say who it is for, and where it stands."""
        return f"{row.get_status_display()} · {row.customer_name} · {row.activity} {self.departure(row)}"

    @admin.display(description="status")
    def stands(self, row: Reservation) -> SafeString:
        """Show where it stands."""
        return formatting.status(row)

    @admin.display(description="departure (local)")
    def departure(self, row: Reservation) -> str:
        """Show the departure by the activity's clock."""
        return f"{row.day} (the whole day)" if row.day else clocks.when(row.starts_at, row.activity.timezone)

    @admin.display(description="made (local)", ordering="id")
    def created(self, row: Reservation) -> str:
        """Show when it was made, by the activity's clock."""
        return clocks.when(row.created_at, row.activity.timezone)

    @admin.display(description="hold ends (local)")
    def expires(self, row: Reservation) -> str:
        """Show when the hold ends, in the activity's time zone.

        A sold or ended reservation has no such time.
        """
        return clocks.when(row.expires_at if row.status in HOLDING else None, row.activity.timezone)

    @admin.display(description="sold")
    @once
    def sold(self, row: Reservation) -> str:
        """Show the units as they were sold."""
        sold = Counter((unit.name, unit.amount) for unit in row.units.all())
        return ", ".join(
            f"{number} × {name} {currencies.shown(amount, row.currency)}" for (name, amount), number in sold.items()
        )

    @admin.display(description="where its money is")
    def where_money_is(self, row: Reservation) -> str:
        """Say where its money is."""
        return money_sentence.tell(row)

    @admin.display(description="due")
    def due(self, row: Reservation) -> SafeString | str:
        """Show what has to be paid by when, and its state."""
        return reservation_page.dues_of(row)

    @admin.display(description="cancellation terms")
    def rules(self, row: Reservation) -> str:
        """Show the terms, as they were sold."""
        return reservation_page.terms_of(row)

    @admin.display(description="payment")
    def payment_status(self, row: Reservation) -> SafeString:
        """Show where its payment stands."""
        return formatting.status(row.payment)

    @admin.display(description="payments")
    def payment_link(self, row: Reservation) -> SafeString | str:
        """Link to its payments, the newest first."""
        links = [
            (formatting.link(payment, str(payment)), currencies.shown(payment.amount, payment.currency),
             payment.get_status_display())
            for payment in reversed(row.payments)
        ]  # fmt: skip
        return format_html_join(mark_safe("<br>"), "{} ({}, {})", links)

    @admin.display(description="timeline")
    @once
    def happened(self, row: Reservation) -> SafeString:
        """Show the history of the reservation and its payments, by time."""
        return reservation_page.timeline_of(row)

    actions = actions.ACTIONS

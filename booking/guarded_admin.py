"""Admin pages that show the database's refusals, and leave nothing half-done."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from adminkit import times
from adminkit.pages import EditableAdmin
from adminkit.staff_log import Entry
from booking.models import Reservation
from catalogue import locks, plans, terms
from catalogue.models import Activity, Slot
from common import database
from tenants import clocks

DEPARTURE_IS_SOLD = "Places of this departure have been sold: its activity and its time are fixed."
REFUSALS = {
    "slot_is_sold": DEPARTURE_IS_SOLD,
    "slot_not_oversold": "The capacity is below the places that are sold or held.",
    "slot_once_at_a_time": "This activity already has a departure at that time.",
    "slot_ends_after_start": "The departure ends before it starts.",
    "activity_is_sold": "This activity has been sold: its operator, currency and time zone are fixed.",
    "activity_has_parties": "Several parties have booked this for one time: it cannot be for one party only.",
    "activity_has_its_party": "Guests have this for themselves: it stays exclusive until they have been there.",
}
"""What a person reads of a constraint of the database that speaks after the form was checked."""

_AT_THE_DESK = "edited at the desk"
"""Why something changed that was changed in a form, which asks for no reason."""


class GuardedAdmin(EditableAdmin):
    """Rows that guests may buy while somebody edits them."""

    refusals = REFUSALS

    def changes_of(self, row: Any, zone: str) -> Sequence[Entry]:
        """List a row's changes for its page, in time zone ``zone``."""
        return []

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row with what changed of it."""
        row = self.get_object(request, object_id)
        zone = "" if row is None else times.zone_of(self, row)
        changes = [] if row is None else self.changes_of(row, zone)
        told = [(clocks.when(entry.at, zone, seconds=True), entry) for entry in changes]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "changes": told})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form or take it, once there is way for it."""
        if request.method == "POST" and object_id is not None:
            self.make_way(request, self.get_object(request, object_id))
        return super().changeform_view(request, object_id, form_url, extra_context)

    def make_way(self, request: HttpRequest, row: Any) -> None:
        """Prepare for a change of a row (None: a new one)."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write changed fields in the person's name, before the prices beside them."""
        database.name_actor(f"user:{request.user.get_username()}", _AT_THE_DESK)
        super().save_model(request, obj, form, change)


def is_sold(row: Slot) -> bool:
    """Tell whether a departure's activity and time are fixed by a sale."""
    return row.sold_at is not None or row.reserved > 0


def fixed_of(row: Activity) -> list[str]:
    """Name the fields of an activity that a sale fixes.

    Asked once for each row.
    """
    known: list[str] | None = row.__dict__.get("_fixed")
    if known is None:
        is_reserved = Reservation.objects.filter(activity=row).exists()
        is_on_sale = is_reserved or Slot.objects.filter(activity=row).exists()
        known = (["operator", "currency"] if is_on_sale else []) + (["timezone"] if is_reserved else [])
        row.__dict__["_fixed"] = known
    return known


def check_departure(form: forms.ModelForm[Slot]) -> None:
    """Refuse another activity or time for a sold departure.

    Asked under the lock that the write will hold.

    Raises:
        ValidationError: It has been sold.
    """
    if form.instance._state.adding or not {"activity", "starts_at", "ends_at"} & set(form.changed_data):
        return
    locks.lock_offered(activity_id=form.instance.activity_id)
    if is_sold(locks.get_slot_for_update(slot_id=form.instance.pk)):
        raise forms.ValidationError(DEPARTURE_IS_SOLD)


class ActivityForm(forms.ModelForm[Activity]):
    """Keeps what guests have bought of an activity.

    Asked under the lock that the write will hold.
    """

    def clean(self) -> dict[str, Any]:
        """Refuse another operator, currency or time zone for a sold activity."""
        given = super().clean() or self.cleaned_data
        changed = {"operator", "currency", "timezone"} & set(self.changed_data)
        if changed and not self.instance._state.adding:
            locks.lock_offered(activity_id=self.instance.pk)
            self.instance.__dict__.pop("_fixed", None)
            for name in changed & set(fixed_of(self.instance)):
                self.add_error(name, "This activity has been sold or has departures: this is fixed.")
        self._check_written("terms", terms.parse)
        self._check_written("plan", plans.parse)
        return given

    def _check_written(self, field: str, parse: Callable[..., object]) -> None:
        """Refuse what cannot be read as it will be when a place is sold."""
        currency = self.cleaned_data.get("currency", self.instance.currency)
        try:
            parse(self.cleaned_data.get(field) or "", currency=currency)
        except forms.ValidationError as error:
            self.add_error(field, error)

"""What actions of the backoffice ask for, beside the reason."""

import re
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.db.models.functions import Now

from booking import availability, cancelling
from booking.adjusting import BY_HAND
from booking.models import Adjustment, Reservation, Unit
from booking.states import SELLING, ReceiptMethod
from catalogue.models import Activity, Slot
from common import currencies, database
from common.errors import HoldfastError
from tenants import clocks

_MOST = 200
"""Departures that are offered, and reservations that are asked about."""
_LOCAL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_DAYS = date(2000, 1, 1), date(2100, 12, 31)
"""Days that can have a departure; a mistyped year is found here."""


class AmountForm(forms.Form):
    """How much is given back."""

    amount = forms.DecimalField(
        min_value=0,
        max_digits=14,
        decimal_places=3,
        required=False,
        help_text="Such as 12.50; empty: all that is left.",
    )


class ReceiptForm(forms.Form):
    """What was taken, and how."""

    method = forms.ChoiceField(choices=[each for each in ReceiptMethod.choices if each[0] != ReceiptMethod.ACCOUNT])
    amount = forms.DecimalField(
        min_value=0,
        max_digits=14,
        decimal_places=3,
        required=False,
        help_text="Such as 12.50; empty: all that is left.",
    )
    reference = forms.CharField(max_length=200, required=False, help_text="Such as the number on a terminal's slip.")


class AdjustmentForm(forms.Form):
    """What is added to the price, or taken off."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in BY_HAND])
    amount = forms.DecimalField(min_value=0, max_digits=14, decimal_places=3, help_text="Such as 12.50.")
    name = forms.CharField(max_length=200, required=False, help_text="As the guest reads it, such as Wetsuit.")


class ChangeForm(forms.Form):
    """Which extra, fee or discount is taken back."""

    adjustment_id = forms.TypedChoiceField(label="What", coerce=UUID)

    def for_rows(self, rows: QuerySet[Reservation], person: Any) -> None:
        """Offer what can be taken back of the one reservation."""
        wanted = Adjustment.objects.filter(reservation__in=rows.order_by(), kind__in=sorted(SELLING & set(BY_HAND)))
        changes = wanted.filter(withdrawn_by=None).select_related("reservation").order_by("id")[:_MOST]
        self.fields["adjustment_id"].choices = [  # type: ignore[attr-defined]
            (str(change.pk), str(change)) for change in changes
        ]


class CancelForm(forms.Form):
    """Who cancels, and what is kept."""

    BY_TERMS, BY_US, STATED = "terms", "operator", "stated"
    how = forms.ChoiceField(
        label="Kept",
        required=False,
        initial=BY_TERMS,
        choices=[(BY_TERMS, "what the terms say"), (BY_US, "nothing: we cancel"), (STATED, "this much:")],
    )
    fee = forms.DecimalField(min_value=0, max_digits=14, decimal_places=3, required=False, help_text="Such as 12.50.")

    def for_rows(self, rows: QuerySet[Reservation], person: Any) -> None:
        """Say what the terms of the one reservation come to now."""
        chosen = list(rows.select_related("payment")[:2])
        if len(chosen) == 1:
            self.fields["how"].help_text = _quoted(chosen[0])

    def clean(self) -> dict[str, Any]:
        """Ask for a fee where one is stated.

        Raises:
            ValidationError: There is none.
        """
        given = self.cleaned_data
        if given.get("how") == self.STATED and given.get("fee") is None:
            raise forms.ValidationError("Say how much is kept.")
        return given


class FewerForm(CancelForm):
    """Which units, and what is kept of their price."""

    unit = forms.ChoiceField()
    quantity = forms.IntegerField(min_value=1, max_value=200)

    def for_rows(self, rows: QuerySet[Reservation], person: Any) -> None:
        """Offer the units of the chosen reservations."""
        sold = Unit.objects.filter(reservation__in=rows.order_by()).order_by("unit").values_list("unit", "name")
        self.fields["unit"].choices = list(dict(sold.distinct()).items())  # type: ignore[attr-defined]


def _quoted(row: Reservation) -> str:
    try:
        quote = cancelling.quoted(row, at=database.now())
    except HoldfastError:
        return "It was sold without terms."
    kept, back = (currencies.shown(amount, row.currency) for amount in (quote.fee, quote.refund))
    return f"By its terms {kept} is kept now, and {back} goes back."


class MinutesForm(forms.Form):
    """How much longer."""

    minutes = forms.IntegerField(min_value=1, max_value=10_080)


class SlotForm(forms.Form):
    """The departure to go to."""

    slot_id = forms.TypedChoiceField(label="Departure", coerce=UUID)

    def for_rows(self, rows: QuerySet[Reservation], person: Any) -> None:
        """Offer the coming departures of the activity.

        Reservations of several activities have none in common.
        """
        activities = list(Activity.objects.filter(pk__in=rows.order_by().values("activity"))[:2])
        slots = Slot.objects.filter(activity=activities[0]) if len(activities) == 1 else Slot.objects.none()
        coming = availability.judged(slots.filter(starts_at__gt=Now(), is_closed=False)).order_by("starts_at")[:_MOST]
        self.fields["slot_id"].choices = [  # type: ignore[attr-defined]
            (
                str(slot.pk),
                f"{clocks.when(slot.starts_at, activities[0].timezone)} · {availability.places_in_words(slot)}",
            )
            for slot in coming
        ]


def _offered(slot: Slot, activity: Activity) -> str:
    return f"{clocks.when(slot.starts_at, activity.timezone)} · {availability.places_in_words(slot)}"


class WeeklyRuleForm(forms.Form):
    """When departures are, in the local time of the activity."""

    weekdays = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))),
        widget=forms.CheckboxSelectMultiple,
    )
    times = forms.CharField(help_text="Local times, such as 09:00, 14:30.")
    first = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}))
    duration = forms.IntegerField(label="Duration in minutes", min_value=1, max_value=20_160)
    capacity = forms.IntegerField(min_value=1, max_value=100_000)

    def clean_times(self) -> list[time]:
        """Read the times.

        Raises:
            ValidationError: There is none, or one is not written as 09:00.
        """
        texts = [part.strip() for part in self.cleaned_data["times"].split(",") if part.strip()]
        if not texts or not all(_LOCAL_TIME.fullmatch(text) for text in texts):
            raise forms.ValidationError("Write local times as 09:00, separated by commas.")
        return [time.fromisoformat(text) for text in texts]

    def clean_duration(self) -> timedelta:
        """Turn minutes into a time."""
        return timedelta(minutes=self.cleaned_data["duration"])

    def clean(self) -> dict[str, Any]:
        """Check the days against each other.

        Raises:
            ValidationError: The range is empty, longer than two years, or beyond ``_DAYS``.
        """
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and not 0 <= (last - first).days <= 731:
            raise forms.ValidationError("The last day must not be before the first, nor more than two years after it.")
        if first and last and not _DAYS[0] <= first <= last <= _DAYS[1]:
            raise forms.ValidationError("Departures are made between the years 2000 and 2100.")
        return self.cleaned_data

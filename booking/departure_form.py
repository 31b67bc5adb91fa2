"""The form of a departure, with times in its activity's time zone."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.timezone import get_current_timezone_name

from adminkit import typed_times
from adminkit.typed_times import LocalTimeField
from booking import guarded_admin
from catalogue.models import Activity, Slot

_TIMES = ("starts_at", "ends_at")


class DepartureForm(forms.ModelForm[Slot]):
    """Reads local times; keeps the capacity at least at sales.

    The database does too.
    """

    starts_at = LocalTimeField(label="Starts")
    ends_at = LocalTimeField(label="Ends")

    def __init__(self, *args: Any, **known: Any) -> None:
        super().__init__(*args, **known)
        self.zone_shown = get_current_timezone_name() if self.instance._state.adding else _zone(self.instance.activity)
        whose = "the activity" if self.instance._state.adding else self.zone_shown
        for name in _TIMES:
            if name in self.fields:
                self.fields[name].zone = self.zone_shown  # type: ignore[attr-defined]  # a LocalTimeField
                self.fields[name].help_text = f"By the clock of {whose}, such as 09:00."

    def clean_capacity(self) -> int:
        """Refuse fewer places than are sold."""
        capacity: int = self.cleaned_data["capacity"]
        reserved = Slot.objects.values_list("reserved", flat=True).filter(pk=self.instance.pk).first() or 0
        if capacity < reserved:
            raise forms.ValidationError(f"The capacity is below the {reserved} places that are sold or held.")
        return capacity

    def clean(self) -> dict[str, Any]:
        """Resolve the times in the time zone of the chosen activity.

        Raises:
            ValidationError: A time does not exist there or comes twice, the departure ends before it starts, or it has
                been sold.
        """
        given = super().clean() or self.cleaned_data
        activity = given.get("activity") or (None if self.instance._state.adding else self.instance.activity)
        for name in _TIMES:
            if name in self.fields and given.get(name) is not None and activity is not None:
                self._resolve(name, _zone(activity))
        starts, ends = given.get("starts_at"), given.get("ends_at")
        if starts and ends and starts.tzinfo and ends.tzinfo and ends <= starts:
            self.add_error("ends_at", "The departure ends before it starts.")
        guarded_admin.check_departure(self)
        return given

    def _resolve(self, name: str, zone: str) -> None:
        is_as_it_was = name not in self.changed_data and zone == self.zone_shown
        if is_as_it_was:
            self.cleaned_data[name] = self.get_initial_for_field(self.fields[name], name)
            return
        try:
            at: datetime = typed_times.resolve(self.cleaned_data[name], zone)
        except forms.ValidationError as error:
            self.add_error(name, error)
            return
        self.cleaned_data[name] = at
        if name not in self.changed_data:  # typed for one clock, and meant for another now
            self.changed_data.append(name)


def _zone(activity: Activity) -> str:
    return activity.timezone

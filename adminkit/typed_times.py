"""Times as people type them, with a UTC offset where ambiguous."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from common import times
from tenants import clocks

_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*UTC([+-])(\d{2}):(\d{2}))?", re.ASCII)


def resolve(typed: datetime, zone: str) -> datetime:
    """Return the moment of a typed time in a time zone.

    A UTC offset that was typed with it decides an hour that comes twice.

    Raises:
        ValidationError: The clocks of the place skip it, or show it twice and it was not said which is meant.
    """
    if not times.FIRST_YEAR <= typed.year <= times.LAST_YEAR:
        raise ValidationError("This time is out of range.")
    found = clocks.instants(typed.replace(tzinfo=None), zone)
    text = f"{typed.date().isoformat()} {typed:%H:%M}"
    if not found:
        raise ValidationError(f"{text} does not exist in {zone}: the clocks are put forward over it.")
    if typed.tzinfo is not None:
        if typed.astimezone(UTC) not in found:
            raise ValidationError(f"{zone} has another offset from UTC at {text}.")
        return typed.astimezone(UTC)
    if len(found) > 1:
        first, second = (f"{typed:%H:%M} UTC{at.astimezone(ZoneInfo(zone)).isoformat()[-6:]}" for at in found)
        raise ValidationError(
            f"{text} comes twice in {zone}: the clocks are put back. Write {first} for the first, {second} for the "
            "second."
        )
    return found[0]


class LocalTimeField(forms.SplitDateTimeField):
    """A local day and time in ``zone``, which the form sets.

    Its value is not resolved yet.
    """

    widget = UnfoldAdminSplitDateTimeWidget
    zone = "UTC"

    def __init__(self, **known: Any) -> None:
        super().__init__(**known)
        self.fields = (forms.DateField(), _TimeOfDay())

    def prepare_value(self, value: Any) -> Any:
        """Write a moment as it is typed."""
        if not isinstance(value, datetime):
            return [value, ""] if isinstance(value, str) else value  # a text comes from an address
        local = clocks.local(value, self.zone) if value.tzinfo else value
        offset = f" UTC{local.isoformat()[-6:]}" if local.tzinfo and times.comes_twice(local) else ""
        at = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
        return [local.date().isoformat(), f"{at}{offset}"]

    def compress(self, data_list: Any) -> Any:
        """Join day and time; without a UTC offset, the value is naive."""
        if not data_list or any(part in self.empty_values for part in data_list):
            return None
        day, at = data_list
        return datetime.combine(day, at.timetz())

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Say whether something else was typed than what was shown."""
        shown = self.prepare_value(initial) or ["", ""]
        return [str(part or "").strip() for part in (data or ["", ""])] != shown


class _TimeOfDay(forms.CharField):
    """A time such as 09:00, with its distance to UTC where it comes twice: ``02:30 UTC+02:00``."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        found = _TIME.fullmatch(text or "")
        try:
            if found is None:
                raise ValueError(text)
            hours, minutes, seconds, sign, off_hours, off_minutes = found.groups()
            at = datetime(2000, 1, 1, int(hours), int(minutes), int(seconds or 0))  # noqa: DTZ001  # of no place yet
            if sign:
                offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
                at = at.replace(tzinfo=timezone(-offset if sign == "-" else offset))
        except ValueError as error:
            raise ValidationError("Write a time as 09:00.") from error
        return at

"""The record of what staff did to rows, with their reasons.

It is Django's own log of its admin.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from tenants.models import User

_WHY = "\nReason: "
_MOST = 200
"""Entries that a page shows: the newest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that a person did."""

    at: datetime
    actor: str
    text: str
    reason: str


def note(row: Any, *, person: User, told: str, reason: str) -> None:
    """Keep what a person did to a row, and why."""
    LogEntry.objects.log_actions(person.pk, [row], CHANGE, f"{told}{_WHY}{reason}", single_object=True)


def list_of(rows: Iterable[Any], *, by: QuerySet[User] | None = None) -> Sequence[Entry]:
    """List what people (None: all) did to rows, oldest first.

    Edits of a form are included.
    """
    keys: dict[int, list[str]] = {}
    for row in rows:
        keys.setdefault(ContentType.objects.get_for_model(row).pk, []).append(str(row.pk))
    if not keys:
        return []
    wanted = Q()
    for kind, found in keys.items():
        wanted |= Q(content_type=kind, object_id__in=found)
    if by is not None:
        wanted &= Q(user__in=by.order_by().values("pk"))
    entries = LogEntry.objects.filter(wanted).select_related("user").order_by("-action_time", "-id")[:_MOST]
    return [_entry(entry) for entry in reversed(entries)]


def _entry(entry: LogEntry) -> Entry:
    text, _, reason = entry.get_change_message().partition(_WHY)
    text = text or entry.get_action_flag_display()
    return Entry(entry.action_time, f"user:{entry.user.get_username()}", text, reason)

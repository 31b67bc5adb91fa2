"""Renders a mail in its language, as text and as HTML."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from common import currencies, times
from notifications.models import Mail

_WORDS = Path(__file__).parent / "words"


def message(mail: Mail) -> EmailMultiAlternatives:
    """Write the message of a mail.

    The same mail has the same Message-ID each time that it is sent.
    """
    words, told = _words(mail.language), _told(mail)
    own = words[mail.kind]
    context = {
        "language": mail.language,
        "operator": mail.facts.get("operator", ""),
        "greeting": words["greeting"].format(**told) if told.get("name") else "",
        "title": own["title"].format(**told),
        "paragraphs": [paragraph.format(**told) for paragraph in own["paragraphs"]],
        "rows": [(words["labels"][name], told[name]) for name in own["rows"] if told.get(name)],
        "items": told.get("items", []),
        "link": _link(mail, words),
        "closing": words["closing"].format(**told) if told.get("name") else "",
    }
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    written = EmailMultiAlternatives(
        subject=" ".join(own["subject"].format(**told).split()),
        body=render_to_string("notifications/mail.txt", context).strip() + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=mail.to,
        headers={"Message-ID": f"<{mail.pk}.{mail.round}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    written.attach_alternative(render_to_string("notifications/mail.html", context), "text/html")
    return written


@cache
def _words(language: str) -> Mapping[str, Any]:
    return tomllib.loads((_WORDS / f"{language}.toml").read_text())


def _told(mail: Mail) -> dict[str, Any]:
    """Write what a mail tells in its language: money, times, the units."""
    facts, told = mail.facts, dict(mail.facts)
    if "amount" in facts:
        told["money"] = currencies.written(facts["amount"], facts["currency"], language=mail.language)
    if facts.get("fee"):
        told["kept"] = currencies.written(facts["fee"], facts["currency"], language=mail.language)
    for name in ("starts_at", "respond_by", "due_by"):
        told[name] = _moment(facts.get(name), facts.get("timezone", "UTC"), mail.language)
    if facts.get("day"):
        day = dates.format_date(date.fromisoformat(facts["day"]), "full", locale=mail.language)
        told["starts_at"] = f"{day} ({facts['timezone']})"
    if "by" in facts:
        told["by_whom"] = _words(mail.language)["cancelled_by"][facts["by"]].format(**facts)
    told["units"] = ", ".join(f"{number} × {unit}" for unit, number in facts.get("units", {}).items())
    told["items"] = [f"{row['subject']} — {row['summary']}" for row in facts.get("found", [])]
    return told


def _moment(at: str | None, zone: str, language: str) -> str:
    """Write a time by the clock of the place, as its people write it, and name the place.

    Of an hour that comes twice, the difference to UTC says which of the two it is.
    """
    if at is None:
        return ""
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
    day = dates.format_date(local, "full", locale=language)
    place = f"{zone}, UTC{local.isoformat()[-6:]}" if times.comes_twice(local) else zone
    return f"{day}, {dates.format_time(local, 'short', locale=language)} ({place})"


def _link(mail: Mail, words: Mapping[str, Any]) -> tuple[str, str] | None:
    if mail.facts.get("receipt_url"):
        return words["receipt"], mail.facts["receipt_url"]
    if "found" in mail.facts and settings.BACKOFFICE_URL:
        return words["backoffice"], f"{settings.BACKOFFICE_URL.rstrip('/')}/admin/reconciliation/discrepancy/"
    return None

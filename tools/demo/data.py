"""What the demo shows: two operators, their examples and a month of departures. Loading twice changes nothing."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models.functions import Now

from catalogue.models import Activity, Rate, Slot
from common import database
from payments import accounts
from payments.providers import registry
from tenants import api_keys
from tenants.models import ApiClient, Member, Operator, Role, Scope, User
from tools.demo import places

DAYS = 30
ADMIN = "demo"
STAFF = "marta"


@dataclass(frozen=True, kw_only=True)
class Example:
    """Something to sell: rates in minor units, and departures by the local clock."""

    name: str
    description: str
    rates: dict[str, int]
    departures: tuple[time, ...] = ()
    hours: int = 2
    capacity: int = 10
    exclusive: bool = False


MARE_ALTA = (
    Example(
        name="Sea kayaking",
        description="Two hours along the cliffs, with a guide. No experience needed.",
        rates={"adult": 4500, "child": 2000},
        departures=(time(9), time(11, 30), time(15)),
        capacity=12,
    ),
    Example(
        name="Surf lesson",
        description="Board and wetsuit included. Groups stay small.",
        rates={"adult": 3500, "child": 2500},
        departures=(time(10), time(14)),
        capacity=6,
    ),
    Example(
        name="Dolphin watching",
        description="A morning at sea with a marine biologist on board.",
        rates={"adult": 5500, "child": 3000, "senior": 4800},
        departures=(time(8),),
        hours=3,
        capacity=24,
    ),
    Example(
        name="Private charter",
        description="The whole boat with its skipper, for a day. Booked as a whole.",
        rates={"boat": 68000},
        exclusive=True,
    ),
)
BAIA = (
    Example(
        name="Island crossing",
        description="By schooner to the island and back.",
        rates={"adult": 12000},
        departures=(time(9), time(14)),
        hours=4,
        capacity=20,
    ),
)


def load(*, now: datetime, login_file: Path = places.LOGIN) -> dict[str, str]:
    """Load the demo and return its login and API keys, which are made the first time and kept in ``login_file``."""
    kept = places.read_json(login_file)
    with database.use_case():
        database.name_actor("demo", "loaded")
        mare_alta = _operator("mare-alta", name="Maré Alta", timezone="Europe/Lisbon", currency="EUR")
        # Holds so short that one can be watched running out.
        baia = _operator("baia", name="Baía", timezone="America/Sao_Paulo", currency="BRL", hold_ttl_seconds=5)
        for operator, examples in ((mare_alta, MARE_ALTA), (baia, BAIA)):
            for example in examples:
                _load_activity(operator, example, now.astimezone(ZoneInfo(operator.timezone)).date())
        login = {
            "api_key": _api_key(mare_alta, kept.get("api_key")),
            "other_operator_api_key": _api_key(baia, kept.get("other_operator_api_key")),
            "admin_user": ADMIN,
            "admin_password": kept.get("admin_password") or secrets.token_urlsafe(12),
        }
        _people(mare_alta, login["admin_password"])
    places.write_json(login_file, login)
    return login


def _operator(slug: str, **fields: Any) -> Operator:
    operator, _ = Operator.objects.get_or_create(slug=slug, defaults=fields)
    for provider in registry.names():
        if not operator.provider_accounts.filter(provider=provider).exists():
            accounts.add(operator=operator, provider=provider)
    return operator


def _load_activity(operator: Operator, example: Example, today: date) -> None:
    activity, made = Activity.objects.get_or_create(
        operator=operator,
        name=example.name,
        defaults={
            "description": example.description,
            "exclusive": example.exclusive,
            "timezone": operator.timezone,
            "currency": operator.currency,
        },
    )
    if made:
        Rate.objects.bulk_create(
            Rate(activity=activity, unit=unit, name=unit.title(), amount=amount)
            for unit, amount in example.rates.items()
        )
    wanted = set(_departures(example, today, ZoneInfo(operator.timezone)))
    there = set(Slot.objects.filter(activity=activity, starts_at__in=wanted).values_list("starts_at", flat=True))
    length = timedelta(hours=example.hours)
    Slot.objects.bulk_create(
        Slot(activity=activity, starts_at=at, ends_at=at + length, capacity=example.capacity)
        for at in sorted(wanted - there)
    )


def _departures(example: Example, today: date, zone: ZoneInfo) -> list[datetime]:
    """List departures from tomorrow on. At nine by the local clock stays at nine when the clocks change."""
    utc = ZoneInfo("UTC")
    return [
        datetime.combine(today + timedelta(days=day), at, zone).astimezone(utc)
        for day in range(1, DAYS + 1)
        for at in example.departures
    ]


def _api_key(operator: Operator, kept: str | None) -> str:
    """Return the key that was issued before if the database still knows it, else a new one."""
    client = api_keys.find_client(kept) if kept else None
    if kept and client is not None and client.operator_id == operator.pk:
        return kept
    ApiClient.objects.filter(operator=operator, name="Demo shop", revoked_at=None).update(revoked_at=Now())
    return api_keys.issue(operator=operator, name="Demo shop", scopes=list(Scope))[1]


def _people(operator: Operator, password: str) -> None:
    """Let in one who sees everything, and one who works for the operator."""
    admin, _ = User.objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    staff, _ = User.objects.get_or_create(username=STAFF, defaults={"is_staff": True, "first_name": "Marta"})
    for user in (admin, staff):
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
    Member.objects.get_or_create(user=staff, operator=operator, defaults={"role": Role.OWNER})

"""What a person of the backoffice may do at an operator: by their role there, and nowhere else."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from tenants.models import Member, Role

Person = Any
"""A user, or the anonymous one of a request."""


class Power(StrEnum):
    """Something that not everybody of the staff may do. Looking is everybody's."""

    SERVE = "serve"
    """Guests' reservations: confirm, cancel, mails."""
    SELL = "sell"
    """What is on sale: resources, rates, departures."""
    SETTLE = "settle"
    """Money and what the provider says of it: refunds, commands, events, discrepancies."""
    RULE = "rule"
    """Who may call the API in the operator's name."""


POWERS: Mapping[str, frozenset[Power]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Power),
        Role.MANAGER: frozenset((Power.SERVE, Power.SELL, Power.SETTLE)),
        Role.AGENT: frozenset((Power.SERVE,)),
        Role.READ_ONLY: frozenset(),
    }
)


def may(person: Person, power: Power, operator_id: UUID | None) -> bool:
    """Say whether a person may do something to what is an operator's; of nobody's, superusers decide."""
    if not person.is_active or person.is_superuser:
        return bool(person.is_active)
    return power in POWERS.get(_roles(person).get(operator_id, ""), frozenset())


def may_somewhere(person: Person, power: Power) -> bool:
    """Say whether there is an operator to whose things a person may do something."""
    if not person.is_active or person.is_superuser:
        return bool(person.is_active)
    return any(power in POWERS[role] for role in _roles(person).values())


def operators_where(person: Person, power: Power) -> Collection[UUID]:
    """List the operators to whose things a person (not a superuser, who may everywhere) may do something."""
    return [operator for operator, role in _roles(person).items() if operator and power in POWERS[role]]


def operators_of(person: Person) -> list[UUID]:
    """List the operators that a person (not a superuser, who is everywhere) works for."""
    return [operator for operator, _, _ in _memberships(person)]


def zone(person: Person) -> str:
    """Return the time zone of a person's operator; UTC if they have none or several, or are a superuser."""
    zones = {name for _, _, name in _memberships(person)}
    return zones.pop() if len(zones) == 1 and not person.is_superuser else "UTC"


def zones_of(person: Person) -> dict[UUID, str]:
    """Return the time zone of each operator that a person (not a superuser) works for."""
    return {operator: zone for operator, _, zone in _memberships(person)}


def _roles(person: Person) -> dict[UUID | None, str]:
    return {operator: role for operator, role, _ in _memberships(person)}


def _memberships(person: Person) -> list[tuple[UUID, str, str]]:
    """Return a person's operators, roles and time zones, read once for each request: a person is read anew for each."""
    known: list[tuple[UUID, str, str]] | None = getattr(person, "_memberships_read", None)
    if known is None:
        rows = person.memberships.order_by("operator__name") if person.pk else Member.objects.none()
        known = list(rows.values_list("operator_id", "role", "operator__timezone"))
        person._memberships_read = known
    return known

"""What a person of the backoffice may do at an operator: by their role there, and nowhere else."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from tenants.models import Role

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


def _roles(person: Person) -> dict[UUID | None, str]:
    """Return a person's role at each operator, read once for each request: a person is read anew for each."""
    known: dict[UUID | None, str] | None = getattr(person, "_roles_read", None)
    if known is None:
        known = dict(person.memberships.values_list("operator_id", "role")) if person.pk else {}
        person._roles_read = known
    return known

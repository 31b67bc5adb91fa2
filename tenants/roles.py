"""Permissions of a person at an operator, by their role there."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from tenants.models import Member, Role

Person = Any
"""A user, or the anonymous one of a request."""


class Permission(StrEnum):
    """What a role may change at an operator. All staff may look."""

    RESERVATIONS = "reservations"
    """Guests' reservations: confirm, cancel, mails."""
    CATALOGUE = "catalogue"
    """What is on sale: activities, rates, departures."""
    MONEY = "money"
    """Money and what the provider says of it: refunds, commands, events, discrepancies."""
    ACCESS = "access"
    """People, and who may call the API in the operator's name."""


ROLE_PERMISSIONS: Mapping[str, frozenset[Permission]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Permission),
        Role.MANAGER: frozenset((Permission.RESERVATIONS, Permission.CATALOGUE, Permission.MONEY)),
        Role.AGENT: frozenset((Permission.RESERVATIONS,)),
        Role.READ_ONLY: frozenset(),
    }
)


def has_permission(person: Person, permission: Permission, operator_id: UUID | None) -> bool:
    """Tell whether a person has a permission at an operator.

    Superusers have all, also where there is no operator.
    """
    if not person.is_active or person.is_superuser:
        return bool(person.is_active)
    return permission in ROLE_PERMISSIONS.get(_roles(person).get(operator_id, ""), frozenset())


def has_permission_anywhere(person: Person, permission: Permission) -> bool:
    """Say whether a person has a permission at any operator."""
    if not person.is_active or person.is_superuser:
        return bool(person.is_active)
    return any(permission in ROLE_PERMISSIONS[role] for role in _roles(person).values())


def operators_where(person: Person, permission: Permission) -> Collection[UUID]:
    """Ids of the operators where the user has this permission.

    Superusers have it everywhere and are not listed.
    """
    return [operator for operator, role in _roles(person).items() if operator and permission in ROLE_PERMISSIONS[role]]


def operators_of(person: Person) -> list[UUID]:
    """Ids of the operators where the user works.

    Superusers are not listed.
    """
    return [operator for operator, _, _ in _memberships(person)]


def zone(person: Person) -> str:
    """Return the time zone of a person's only operator, else UTC.

    UTC also for a superuser.
    """
    zones = {name for _, _, name in _memberships(person)}
    return zones.pop() if len(zones) == 1 and not person.is_superuser else "UTC"


def zones_of(person: Person) -> dict[UUID, str]:
    """Return the time zones of a person's operators; not for superusers."""
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

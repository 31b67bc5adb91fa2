"""The one place that narrows a query to the caller's operators."""

from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet

from tenants import roles
from tenants.models import Operator, User

M = TypeVar("M", bound=Model)


def of_operator(queryset: QuerySet[M], operator: Operator | UUID, *, path: str = "operator") -> QuerySet[M]:
    """Keep the rows of an operator (or its id).

    ``path`` leads from the model to it, such as ``payment__operator``.
    """
    return queryset.filter(**{path: operator})


def visible_to(queryset: QuerySet[M], user: User | AnonymousUser, *, path: str = "operator") -> QuerySet[M]:
    """Keep the rows that a person may see; a superuser sees all.

    ``path`` leads from the model to its operator; empty for operators themselves.
    """
    if not user.is_active:
        return queryset.none()
    operators = operators_of(user)
    if operators is None:
        return queryset
    # The operators' ids rather than a join: an index of (operator, id) then gives the newest rows without sorting.
    return queryset.filter(**{f"{path}__in" if path else "pk__in": operators})


def operators_of(user: User | AnonymousUser) -> list[UUID] | None:
    """List the operators that a person may see; None: all (superuser)."""
    if not user.is_active:
        return []
    return None if user.is_superuser else roles.operators_of(user)


def zone_of(user: User | AnonymousUser) -> str:
    """Return the time zone of a person's operator, else UTC."""
    return roles.zone(user)

"""Colleagues of an operator: adding, roles, removal, and the password link.

Where people sign in by Cognito its groups give the roles, and nobody has a password here.
"""

import re
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from common import database
from common.errors import ConflictError, NotFoundError
from tenants import locks
from tenants.models import Member, Operator, Role, User

_NO_PART_OF_A_NAME = re.compile(r"[^\w.+-]+")
_LONGEST_NAME = 60


class ColleagueExistsError(ConflictError):
    """Somebody of this name or address is a colleague there already."""

    code = "colleague_exists"

    def __init__(self, *, who: str, operator: Operator) -> None:
        super().__init__(f"{who} is already a colleague at {operator}.", param="email")


class LastOwnerError(ConflictError):
    """An operator keeps at least one owner."""

    code = "last_owner"

    def __init__(self, *, operator: Operator) -> None:
        super().__init__(f"{operator} would have no owner. Make another colleague an owner first.")


class RolesFromPoolError(ConflictError):
    """The person's roles are given by groups of the user pool."""

    code = "roles_from_pool"

    def __init__(self) -> None:
        super().__init__("This person signs in by Cognito: their roles are the groups that they are in there.")


def add(*, operator: Operator, role: Role, name: str, email: str, first_name: str = "", last_name: str = "") -> User:
    """Add a colleague.

    They sign in as ``name@<the operator's slug>`` once a password is set.

    Names are an operator's own, so that nothing is learned of people elsewhere. Somebody who has left is taken back.
    The caller owns the transaction.

    Raises:
        ColleagueExistsError: Somebody of the name or the address is a colleague there.
    """
    database.require_transaction()
    wanted = short_name(name or email)
    if find_colleague(operator=operator, name=wanted, email=email) is not None:
        raise ColleagueExistsError(who=email or wanted, operator=operator)
    person = _account(f"{wanted}@{operator.slug}") or User(username=_free_name(wanted, operator))
    person.email, person.first_name, person.last_name = email, first_name, last_name
    person.is_staff = person.is_active = True
    person.set_unusable_password()
    if person._state.adding:
        User.objects.bulk_create([person], ignore_conflicts=True)
        if not User.objects.filter(pk=person.pk).exists():  # somebody else has made the same one at this moment
            raise ColleagueExistsError(who=email or wanted, operator=operator)
    else:
        person.save()
    Member.objects.create(user=person, operator=operator, role=role)
    return person


def short_name(text: str) -> str:
    """Return a person's name at their operator: the part before an @.

    Characters that no name has are dropped.
    """
    return _NO_PART_OF_A_NAME.sub("", text.partition("@")[0])[:_LONGEST_NAME]


def find_colleague(*, operator: Operator, name: str, email: str) -> User | None:
    """Find a person at an operator by name or mail address."""
    people = User.objects.filter(memberships__operator=operator)
    by_name = people.filter(username=f"{name}@{operator.slug}").first()
    return by_name or (people.filter(email__iexact=email).first() if email else None)


def change_role(*, person: User, operator: Operator, role: Role) -> None:
    """Give a colleague another role. Must be called outside a transaction.

    Raises:
        NotFoundError, RolesFromPoolError, LastOwnerError: It cannot be.
    """
    with database.use_case():
        place = _place(person, operator, leaves_owners=role != Role.OWNER)
        place.role = role
        place.save(update_fields=["role"])


def remove(*, person: User, operator: Operator) -> None:
    """Remove a colleague's role.

    Without any role left they can no longer sign in. Outside a transaction.

    Raises:
        NotFoundError, RolesFromPoolError, LastOwnerError: It cannot be.
    """
    with database.use_case():
        _place(person, operator, leaves_owners=True).delete()
        if not person.is_superuser and not person.memberships.exists():
            person.is_active = False
            person.save(update_fields=["is_active"])


def password_link(person: User) -> str:
    """Return the URL at which a person sets a password, once.

    It is valid for ``PASSWORD_RESET_TIMEOUT``.

    It names the host if ``BACKOFFICE_URL`` does.
    """
    key = urlsafe_base64_encode(force_bytes(person.pk))
    path = reverse("admin:set_password", args=[key, default_token_generator.make_token(person)])
    return f"{settings.BACKOFFICE_URL.rstrip('/')}{path}"


def only_of(people: QuerySet[User], operators: Iterable[UUID]) -> QuerySet[User]:
    """Keep people who work for these operators only, and no superusers."""
    theirs = Member.objects.filter(operator__in=list(operators)).values("user")
    others = Member.objects.exclude(operator__in=list(operators)).values("user")
    return people.filter(pk__in=theirs, is_superuser=False).exclude(pk__in=others)


def _place(person: User, operator: Operator, *, leaves_owners: bool) -> Member:
    locks.lock_people(operator_id=operator.pk, person_id=person.pk)
    place = Member.objects.filter(user=person, operator=operator).first()
    if place is None:
        raise NotFoundError(kind="colleague")
    if person.cognito_sub:
        raise RolesFromPoolError
    owners = operator.members.filter(role=Role.OWNER, user__is_active=True)
    if leaves_owners and place.role == Role.OWNER and not owners.exclude(pk=place.pk).exists():
        raise LastOwnerError(operator=operator)
    return place


def _account(username: str) -> User | None:
    """Find the account of somebody who had left: one that is nobody's place any more."""
    left = User.objects.filter(username=username, is_active=False, is_superuser=False, cognito_sub=None)
    return left.filter(memberships=None).first()


def _free_name(name: str, operator: Operator) -> str:
    taken = set(User.objects.filter(username__startswith=name).values_list("username", flat=True))
    names = (f"{name}{'' if number == 1 else f'-{number}'}@{operator.slug}" for number in range(1, len(taken) + 2))
    return next(free for free in names if free not in taken)

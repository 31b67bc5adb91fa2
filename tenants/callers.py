"""A caller of the API: an API client at an operator.

A person gets one at their first request.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from django.conf import settings
from rest_framework import exceptions

from tenants import cognito, people
from tenants.models import ApiClient, Operator, Role, Scope, User

SCOPES: Mapping[str, frozenset[Scope]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Scope),
        Role.MANAGER: frozenset(Scope),
        Role.AGENT: frozenset((Scope.READ, Scope.BOOK, Scope.SELL, Scope.COLLECT)),
        Role.READ_ONLY: frozenset((Scope.READ,)),
    }
)
"""What a role lets a person do through the API."""
_CUSTOMER = frozenset((Scope.READ, Scope.BOOK))


class Caller:
    """The authenticated caller as DRF's ``request.user``."""

    is_authenticated = True
    is_active = True

    def __init__(self, client: ApiClient, *, scopes: Collection[str] | None = None, is_customer: bool = False) -> None:
        self.client = client
        self.pk = client.pk
        self.scopes = frozenset(client.scopes if scopes is None else scopes)
        self.is_customer = is_customer

    @property
    def operator(self) -> Operator:
        """The tenant that everything of this request is scoped to."""
        return self.client.operator

    @property
    def own(self) -> ApiClient | None:
        """The client whose reservations a customer is limited to; None: all."""
        return self.client if self.is_customer else None

    @property
    def may_pay(self) -> bool:
        """Whether the caller may see client secrets and next actions."""
        return Scope.BOOK in self.scopes

    @property
    def is_reading_program(self) -> bool:
        """Whether this key may only read.

        It is shown no mail address, and no names of staff.
        """
        return self.client.person_id is None and not self.may_pay

    @property
    def actor(self) -> str:
        """The caller's name in a history."""
        person = self.client.person
        return f"client:{self.client.name}" if person is None else f"user:{person.get_username()}"

    @property
    def shown(self) -> str:
        """The caller's name in a log: a person's is not told there."""
        return self.client.name if self.client.person_id is None else f"person {self.client.person_id}"


def of_token(token: str, *, operator_slug: str) -> Caller:
    """Return who calls by an ID token, and at which operator.

    The app client that the token is for says where: an operator's own, whose people are its staff or else its
    customers; or the platform's, whose people are staff somewhere. If that is at several operators, they name one.

    Raises:
        TokenError: The token is not to be believed.
        IdentityUnavailableError: That cannot be found out now.
        PermissionDenied: The person has no place there, or has lost it.
        ParseError: The person works for several operators and did not say for which this is.
    """
    rows = Operator.objects.filter(cognito_client_id__isnull=False).values_list("cognito_client_id", "slug")
    fronts = {str(front): slug for front, slug in rows}
    claims = cognito.verify(token, audiences=[*fronts, *filter(None, [settings.COGNITO_CLIENT_ID])])
    person = people.of_claims(claims)
    if not person.is_active:
        raise exceptions.PermissionDenied("This person has been made inactive.")
    roles = dict(person.memberships.filter(operator__is_active=True).values_list("operator__slug", "role"))
    slug = _slug(fronts.get(claims["aud"]), list(roles), operator_slug)
    client = _client(person, slug)
    role = roles.get(slug)
    return Caller(client, scopes=SCOPES[role] if role else _CUSTOMER, is_customer=role is None)


def _slug(front: str | None, works_for: list[str], wanted: str) -> str:
    if front is not None:
        return front
    if wanted in works_for or (not wanted and len(works_for) == 1):
        return wanted or works_for[0]
    if wanted or not works_for:
        raise exceptions.PermissionDenied("This person has no role at this operator.")
    raise exceptions.ParseError("Name the operator in the Holdfast-Operator header: this person works for several.")


def _client(person: User, slug: str) -> ApiClient:
    """Return a person's client at an operator; one that was revoked, or whose operator is inactive, lets nobody in."""
    rows = ApiClient.objects.select_related("operator")
    client: Any = rows.filter(person=person, operator__slug=slug).first()
    if client is None:
        operator = Operator.objects.get(slug=slug)
        fields = {"name": f"Person {person.pk}", "scopes": []}
        client, _ = rows.get_or_create(person=person, operator=operator, defaults=fields)
    if client.revoked_at is not None or not client.operator.is_active:
        raise exceptions.PermissionDenied("This person may not call the API of this operator.")
    client.person = person
    return client  # type: ignore[no-any-return]

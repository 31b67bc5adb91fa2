"""People of a Cognito user pool, created at their first sign-in.

They are known by their ``sub``; their groups give them roles.

Their groups give them roles.

A group ``holdfast:<operator's slug>:<role>`` makes its people that operator's staff; ``holdfast:platform`` makes them
superusers. For those who sign in by Cognito the groups are all there is: a role that their groups do not give is taken
away. Mail addresses match nobody: the same address may belong to two people, one there and one here.
"""

from collections.abc import Mapping
from typing import Any

from common import database
from common.serializers import LONGEST_MAIL_ADDRESS
from tenants.models import Member, Operator, Role, User

_PREFIX = "holdfast:"
_PLATFORM = "holdfast:platform"


def of_claims(claims: Mapping[str, Any]) -> User:
    """Return the person of a verified ID token, created or updated.

    Nothing is written when nothing has changed. A person who was made inactive here stays so.
    """
    person = User.objects.filter(cognito_sub=claims["sub"]).first() or _make(claims)
    wanted = _roles(claims.get("cognito:groups") or ())
    is_platform = _PLATFORM in (claims.get("cognito:groups") or ())
    known = dict(person.memberships.values_list("operator__slug", "role"))
    is_staff = bool(wanted) or is_platform
    if (wanted, is_platform, is_staff) != (known, person.is_superuser, person.is_staff):
        _bring_up_to_date(person, wanted, is_platform=is_platform, is_staff=is_staff)
    return person


def _make(claims: Mapping[str, Any]) -> User:
    """Make a person, once however many requests are the first; their name in histories is their address, or the sub."""
    sub, mail = str(claims["sub"]), str(claims.get("email") or "")
    is_known = str(claims.get("email_verified")).lower() == "true" and len(mail) <= LONGEST_MAIL_ADDRESS
    name = mail if mail and is_known and not User.objects.filter(username=mail).exists() else sub
    fields = {
        "email": mail if is_known else "",
        "first_name": str(claims.get("given_name") or "")[:150],
        "last_name": str(claims.get("family_name") or "")[:150],
    }
    made, is_new = User.objects.get_or_create(cognito_sub=sub, defaults={"username": name[:150], **fields})
    if is_new:
        made.set_unusable_password()
        made.save(update_fields=["password"])
    return made


def _roles(groups: Any) -> dict[str, str]:
    """Read operators' roles from groups; of two at one operator the one that may more counts. Others are not ours."""
    found: dict[str, str] = {}
    for role in reversed(list(Role)):
        for group in groups:
            parts = str(group).split(":")
            if len(parts) == 3 and str(group).startswith(_PREFIX) and parts[2] == role.value:
                found[parts[1]] = role.value
    known = set(Operator.objects.filter(slug__in=found).values_list("slug", flat=True)) if found else set()
    return {slug: role for slug, role in found.items() if slug in known}


def _bring_up_to_date(person: User, roles: Mapping[str, str], *, is_platform: bool, is_staff: bool) -> None:
    with database.use_case():
        Member.objects.filter(user=person).exclude(operator__slug__in=roles).delete()
        for operator in Operator.objects.filter(slug__in=roles):
            Member.objects.update_or_create(user=person, operator=operator, defaults={"role": roles[operator.slug]})
        person.is_superuser, person.is_staff = is_platform, is_staff
        person.save(update_fields=["is_superuser", "is_staff"])

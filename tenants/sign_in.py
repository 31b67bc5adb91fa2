"""Sign-in with a password, by full name, short name or mail address."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.http import HttpRequest

from tenants.models import User

_MOST = 5
"""People whom one short name or address may mean; the password decides between them."""


class Backend(ModelBackend):
    """Django's own, for short names and addresses too."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **known: Any
    ) -> User | None:
        """Return the person whom the name means and the password is of."""
        found = super().authenticate(request, username=username, password=password, **known)
        if found is not None or not username or password is None:
            return found
        meant = Q(email__iexact=username) | Q(username__istartswith=f"{username}@")
        people = list(User.objects.filter(meant, is_active=True).exclude(username=username).order_by("pk")[:_MOST])
        if not people:
            User().set_password(password)  # as long as for a name that there is
        return next((person for person in people if person.check_password(password)), None)

"""Who is calling: the bearer key of an API client, and what its scopes allow."""

from typing import TYPE_CHECKING, Any

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common import request_log
from tenants import api_keys, rates
from tenants.models import ApiClient, Operator, Scope

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView

_MAX_KEY_LENGTH = 200


class Caller:
    """The authenticated API client as DRF's ``request.user``."""

    is_authenticated = True
    is_active = True

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.pk = client.pk

    @property
    def operator(self) -> Operator:
        """The tenant that everything of this request is scoped to."""
        return self.client.operator

    @property
    def actor(self) -> str:
        """The caller's name in a history."""
        return f"client:{self.client.name}"


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer hf_…``."""

    def authenticate(self, request: Request) -> tuple[Caller, ApiClient] | None:
        """Find the caller.

        Raises:
            AuthenticationFailed: The key is malformed, unknown or revoked.
            Throttled: Too many requests without a valid key came from this address.
        """
        parts = get_authorization_header(request).split()
        if not parts:
            rates.refuse_stranger(request)
            return None
        if len(parts) != 2 or parts[0].lower() != b"bearer" or len(parts[1]) > _MAX_KEY_LENGTH:
            rates.refuse_stranger(request)
            raise exceptions.AuthenticationFailed("The Authorization header must be: Bearer <API key>.")
        try:
            client = api_keys.find_client(parts[1].decode("ascii"))
        except UnicodeDecodeError:
            client = None
        if client is None:
            rates.refuse_stranger(request)
            raise exceptions.AuthenticationFailed("This API key is not valid.")
        request_log.caller.set({"client": client.name, "operator": client.operator.slug})
        return Caller(client), client

    def authenticate_header(self, request: Request) -> str:
        """Make a missing key a 401 rather than a 403."""
        return "Bearer"


class IsApiClient(BasePermission):
    """Let a caller in whose client has the scope that the view names for the method (``required_scopes``)."""

    message = "This API key lacks the scope for this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check the scope: ``read`` for safe methods unless the view says otherwise, ``book`` for the rest."""
        caller: Any = request.user
        if not isinstance(caller, Caller):
            return False
        default = Scope.READ if request.method in ("GET", "HEAD", "OPTIONS") else Scope.BOOK
        required: dict[str, Scope] = getattr(view, "required_scopes", {})
        return required.get(str(request.method), default) in caller.client.scopes


def caller_of(request: Request) -> Caller:
    """Return the caller of an authenticated request."""
    user: Any = request.user
    if not isinstance(user, Caller):
        raise exceptions.NotAuthenticated
    return user

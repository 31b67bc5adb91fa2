"""Authentication: API clients by key, people by ID token."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common import request_log
from tenants import api_keys, callers, cognito, strangers
from tenants.callers import Caller
from tenants.cognito import TokenError
from tenants.models import Scope

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView

_MAX_LENGTH = 8_192
OPERATOR_HEADER = "Holdfast-Operator"


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer hf_…``, or a Cognito ID token."""

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        """Find the caller.

        Raises:
            AuthenticationFailed: The key or token is malformed, unknown, revoked, expired or another's.
            PermissionDenied: The person of a token has no place here.
            IdentityUnavailableError: A token cannot be verified now.
            Throttled: Too many requests without a valid key or token came from this address.
        """
        parts = get_authorization_header(request).split()
        if not parts:
            strangers.count(request)
            return None
        if len(parts) != 2 or parts[0].lower() != b"bearer" or len(parts[1]) > _MAX_LENGTH:
            strangers.count(request)
            raise exceptions.AuthenticationFailed("The Authorization header must be: Bearer <API key or ID token>.")
        strangers.refuse_at_once(request, parts[1])
        text = parts[1].decode("ascii", errors="replace")
        is_token = settings.COGNITO_USER_POOL_ID and cognito.looks_like_token(text)
        caller = self._by_token(request, text) if is_token else self._by_key(request, text)
        strangers.know(parts[1])
        request_log.caller.set({"client": caller.shown, "operator": caller.operator.slug})
        return caller, caller.client

    def authenticate_header(self, request: Request) -> str:
        """Make a missing key a 401 rather than a 403."""
        return "Bearer"

    @staticmethod
    def _by_key(request: Request, key: str) -> Caller:
        client = api_keys.find_client(key)
        if client is None:
            strangers.count(request)
            raise exceptions.AuthenticationFailed("This API key is not valid.")
        return Caller(client)

    @staticmethod
    def _by_token(request: Request, token: str) -> Caller:
        try:
            return callers.of_token(token, operator_slug=request.headers.get(OPERATOR_HEADER, ""))
        except TokenError as error:
            strangers.count(request)
            raise exceptions.AuthenticationFailed(f"This ID token is not valid. {error}") from error


class IsApiClient(BasePermission):
    """Allow callers with the scope that the view requires.

    The view names it for each method (``required_scopes``).

    A customer is let in only where the view says that it shows them nothing but their own (``is_for_customers``).
    """

    message = "This caller lacks the scope for this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check the scope: by default ``read`` for safe methods, else ``book``."""
        caller: Any = request.user
        if not isinstance(caller, Caller) or (caller.is_customer and not getattr(view, "is_for_customers", False)):
            return False
        default = Scope.READ if request.method in ("GET", "HEAD", "OPTIONS") else Scope.BOOK
        required: dict[str, Scope] = getattr(view, "required_scopes", {})
        return required.get(str(request.method), default) in caller.scopes


def require(caller: Caller, scope: Scope) -> None:
    """Refuse a caller that lacks a scope which its request needs.

    Raises:
        PermissionDenied: It lacks it.
    """
    if scope not in caller.scopes:
        raise exceptions.PermissionDenied(IsApiClient.message)


def caller_of(request: Request) -> Caller:
    """Return the caller of an authenticated request."""
    user: Any = request.user
    if not isinstance(user, Caller):
        raise exceptions.NotAuthenticated
    return user

"""Sign-in to the backoffice by the Cognito user pool.

Authorization code, PKCE, state and nonce, by mozilla-django-oidc.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

import logging
from collections.abc import Callable
from typing import Any

import requests
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from common import database, secrets
from tenants import cognito, people
from tenants.cognito import IdentityUnavailableError, TokenError
from tenants.models import User

logger = logging.getLogger("holdfast.cognito")

_SESSION_SECONDS = 3_600
"""A session lives as long as the pool's own tokens do: a person who lost their groups there is out here by then."""


class Backend(OIDCAuthenticationBackend):  # type: ignore[misc]  # the library has no types
    """Finds the person of an ID token, verified as in the API."""

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        """Return a setting of the library.

        The client's secret is read anew, since it can be rotated.
        """
        if attr == "OIDC_RP_CLIENT_SECRET":
            return secrets.current("COGNITO_CLIENT_SECRET")
        return OIDCAuthenticationBackend.get_settings(attr, *args)

    def get_token(self, payload: dict[str, Any]) -> Any:
        """Change the code for tokens; no database connection is held meanwhile."""
        if not payload["client_secret"]:
            del payload["client_secret"]  # a public client has none, and PKCE in its place
        database.leave_database()
        return super().get_token(payload)

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """Verify the ID token.

        Raises:
            TokenError: It is not to be believed.
            IdentityUnavailableError: That cannot be found out now.
        """
        return cognito.verify(token, audiences=[settings.COGNITO_CLIENT_ID], nonce=kwargs.get("nonce") or "")

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> User | None:
        """Return the person, if they have a place in the backoffice."""
        person = people.of_claims(payload)
        return person if person.is_active and person.is_staff else None


class Callback(OIDCAuthenticationCallbackView):  # type: ignore[misc]  # the library has no types
    """Takes the person back from there."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Sign the person in, or say why not."""
        try:
            answer: HttpResponse = super().get(request)
        except (requests.RequestException, IdentityUnavailableError) as error:
            logger.warning("Signing in by Cognito could not be finished.", extra={"error": type(error).__name__})
            return self._turn_away(request, "The sign-in service does not answer. Try again.")
        except TokenError as error:
            logger.warning("Signing in by Cognito was refused.", extra={"error": str(error)})
            return self._turn_away(request, "The sign-in could not be verified.")
        if request.user.is_authenticated:
            request.session.set_expiry(_SESSION_SECONDS)
        return answer

    def login_failure(self) -> HttpResponse:
        """Say that they have no place here."""
        return self._turn_away(self.request, "You have no role in the backoffice, or the sign-in was not finished.")

    @staticmethod
    def _turn_away(request: HttpRequest, why: str) -> HttpResponse:
        messages.error(request, why)
        return HttpResponseRedirect(reverse("admin:login"))


def begin(request: HttpRequest) -> HttpResponse:
    """Redirect to the user pool; 404 without one."""
    return _known(OIDCAuthenticationRequestView.as_view())(request)


def callback(request: HttpRequest) -> HttpResponse:
    """Handle the return from the user pool; 404 without one."""
    return _known(Callback.as_view())(request)


def _known(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    if not settings.IDENTITY.has_sign_in:
        raise Http404
    return view

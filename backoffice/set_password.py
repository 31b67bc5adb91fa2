"""Password setting by a link that works once and expires.

There is none where people sign in at the user pool.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from tenants.models import User


class Page(PasswordResetConfirmView):
    """The page that the link leads to."""

    template_name = "backoffice/set_password.html"
    title = "Set your password"

    def get_user(self, uidb64: str) -> User | None:
        """Return whose link it is, if they have a place here still."""
        person = super().get_user(uidb64)
        return person if isinstance(person, User) and person.is_active and person.is_staff else None

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        """Keep the password, and lead to where it is used."""
        messages.success(self.request, f"The password is set. Sign in as {form.user.get_username()}.")
        return super().form_valid(form)

    def get_success_url(self) -> str:
        """Lead to the page where one signs in."""
        return reverse("admin:login")

    def get_context_data(self, **known: Any) -> dict[str, Any]:
        """Add what every page of the backoffice has."""
        return {**admin.site.each_context(self.request), **super().get_context_data(**known)}


def page(request: HttpRequest, uidb64: str, token: str) -> HttpResponseBase:
    """Show the page; 404 with a user pool."""
    if settings.IDENTITY.has_sign_in:
        raise Http404
    return Page.as_view()(request, uidb64=uidb64, token=token)

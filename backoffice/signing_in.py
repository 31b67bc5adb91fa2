"""Signing in with a password, and with a second factor where the person has one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django_otp import match_token, user_has_device
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from tenants import rates


class LoginForm(AuthenticationForm):  # type: ignore[misc]  # the theme has no types
    """Name and password, and the code of who has set up a second factor. Tries are limited by ``LOGIN_RATE``."""

    otp_token = forms.CharField(
        label="Code",
        required=False,
        max_length=8,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text="Of your authenticator, if you have set one up.",
    )
    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        """Check them.

        Raises:
            ValidationError: They are not right, or there were too many tries.
        """
        wait = rates.wait_to_sign_in(self.request, self.cleaned_data.get("username", ""))
        if wait is not None:
            raise ValidationError(f"Too many tries. Wait {wait:.0f} seconds.", code="too_many_tries")
        given: dict[str, Any] = super().clean()
        self._check_token()
        return given

    def _check_token(self) -> None:
        person = self.get_user()
        if person is None or not user_has_device(person):
            return
        code = self.cleaned_data.get("otp_token")
        device = match_token(person, code) if code else None  # none given is no guess
        if device is None:
            self.user_cache = None
            raise ValidationError("The code of your authenticator is needed, and is not this one.", code="wrong_code")
        person.otp_device = device  # django-otp notes it in the session that begins

"""Login with a password, and a second factor if set up."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django_otp import match_token, user_has_device
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from tenants import sign_in_limits


class LoginForm(AuthenticationForm):  # type: ignore[misc]  # the theme has no types
    """Name and password, and the code of a second factor, if any.

    :mod:`tenants.sign_in_limits` limits tries.
    """

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
        name = self.cleaned_data.get("username", "")
        _refuse_after(sign_in_limits.wait_for_password(self.request, name))
        given: dict[str, Any] = super().clean()
        person = self.get_user()
        if person is not None:
            self._check_token(person)
            sign_in_limits.remember(self.request, name)
        return given

    def _check_token(self, person: Any) -> None:
        if not user_has_device(person):
            return
        code = self.cleaned_data.get("otp_token")
        if code:
            _refuse_after(sign_in_limits.wait_for_code(self.request, person.get_username()))
        device = match_token(person, code) if code else None  # none given is no guess
        if device is None:
            self.user_cache = None
            raise ValidationError("Enter the current code of your authenticator app.", code="wrong_code")
        person.otp_device = device  # django-otp notes it in the session that begins


def _refuse_after(wait: float | None) -> None:
    if wait is not None:
        raise ValidationError(f"Too many tries. Wait {wait:.0f} seconds.", code="too_many_tries")

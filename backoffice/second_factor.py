"""A person's own second factor: time-based codes (TOTP, RFC 6238)."""

import qrcode
import qrcode.image.svg
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from backoffice import locks
from common import database
from tenants import rate_limits
from tenants.rate_limits import Rate

_NAME = "authenticator"


class CodeForm(forms.Form):
    """Password and code, to prove the person and their app."""

    password = forms.CharField(
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}), help_text="Your password, again."
    )
    code = forms.CharField(
        max_length=8,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text="The six digits that the app shows now.",
    )

    def __init__(self, *args: object, person: object, device: TOTPDevice, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.person, self.device = person, device

    def clean(self) -> dict[str, str]:
        """Check both.

        Raises:
            ValidationError: One of them is wrong.
        """
        given: dict[str, str] = self.cleaned_data
        if not self.person.check_password(given.get("password", "")):  # type: ignore[attr-defined]
            raise forms.ValidationError("This is not your password.")
        if not self.device.verify_token(given.get("code", "")):
            raise forms.ValidationError("This is not the code that the app shows. Check its clock.")
        return given


def page(request: HttpRequest) -> HttpResponse:
    """Show, set up or remove the second factor."""
    mine = TOTPDevice.objects.filter(user=request.user.pk)
    confirmed = mine.filter(confirmed=True).first()
    device = (
        confirmed or mine.first() or TOTPDevice.objects.create(user_id=request.user.pk, name=_NAME, confirmed=False)
    )
    given = _given(request)
    form = CodeForm(given, person=request.user, device=device)
    if given:
        with database.use_case():
            device = locks.get_device_for_update(user_id=request.user.pk, device_id=device.pk)
            form.device = device
            if form.is_valid():
                return _turn(request, device, on=confirmed is None)
    context = {
        **admin.site.each_context(request),
        "title": "Second factor",
        "form": form,
        "is_on": confirmed is not None,
        "image": None if confirmed else _image(device),
        "key": None if confirmed else device.config_url.partition("secret=")[2].partition("&")[0],
    }
    response = TemplateResponse(request, "backoffice/second_factor.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _given(request: HttpRequest) -> QueryDict | None:
    """Return what was posted; None if nothing was, or too often: then it is not even looked at."""
    if request.method != "POST":
        return None
    wait = rate_limits.count(f"second factor of {request.user.pk}", rate=Rate.of(settings.LOGIN_RATE))
    if wait is None:
        return request.POST
    messages.error(request, f"Too many tries. Wait {wait:.0f} seconds.")
    return None


def _turn(request: HttpRequest, device: TOTPDevice, *, on: bool) -> HttpResponse:
    if on:
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        messages.success(request, "The second factor is on: its code is asked for when you sign in.")
    else:
        device.delete()
        messages.success(request, "The second factor is off.")
    return HttpResponseRedirect(reverse("admin:second_factor"))


def _image(device: TOTPDevice) -> SafeString:
    drawn = qrcode.make(device.config_url, image_factory=qrcode.image.svg.SvgPathImage, box_size=12)
    return mark_safe(drawn.to_string(encoding="unicode"))  # noqa: S308  # drawn here, of nothing that was typed

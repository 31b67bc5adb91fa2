"""An operator's accounts at providers.

Secrets are named there and never shown.
"""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelectWidget

from payments import accounts
from payments.models import ProviderAccount
from payments.providers import registry

_FIXED = ("provider", "reference", "mode")


class AccountForm(forms.ModelForm[ProviderAccount]):
    """An account, unchangeable once a payment was made through it."""

    class Meta:
        model = ProviderAccount
        fields: ClassVar = [*_FIXED, "secret_name", "webhook_secrets_name", "is_active"]

    provider = forms.ChoiceField(
        choices=lambda: [(name, name) for name in registry.names()], widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding and accounts.is_used(self.instance):
            for name in _FIXED:
                self.fields[name].disabled = True

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own step, in which the row is filled and checked
        if not self.errors:
            try:
                accounts.check(self.instance)
            except ValidationError as error:
                self.add_error(None, error)


class AccountInline(TabularInline):  # type: ignore[misc]  # the theme has no types
    """The accounts of an operator.

    One is switched off rather than deleted: what was paid through it stays.
    """

    model = ProviderAccount
    form = AccountForm
    extra = 0
    can_delete = False
    verbose_name_plural = "accounts at providers"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

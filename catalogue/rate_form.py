"""The prices of an activity, typed and shown in its currency."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from catalogue.models import Rate
from common import currencies
from common.errors import HoldfastError

_HIGHEST = 10**15
"""In minor units: more than anything costs, and what still adds up."""


class RateForm(forms.ModelForm[Rate]):
    """A price, such as 45.00 of the activity's currency."""

    amount = forms.DecimalField(
        label="Price", min_value=0, max_digits=18, widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})
    )

    class Meta:
        model = Rate
        fields = ("unit", "name", "amount")

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        """Show minor units as money."""
        found = super().get_initial_for_field(field, field_name)
        is_minor = field_name == "amount" and isinstance(found, int) and not self.instance._state.adding
        return currencies.to_major(found, self.currency_was) if is_minor else found

    @property
    def currency_was(self) -> str:
        """Return the currency in which the stored price is."""
        stored: str | None = (
            Rate.objects.filter(pk=self.instance.pk).values_list("activity__currency", flat=True).first()
        )
        return stored or ""


class RateFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # of activities and their rates
    """Turns typed prices into minor units of the activity's currency."""

    def clean(self) -> None:
        """Read each price.

        Raises:
            ValidationError: It is none of the currency's smallest coins.
        """
        super().clean()
        for form in self.forms:
            typed = getattr(form, "cleaned_data", {}).get("amount")
            if isinstance(typed, Decimal):
                self._read(form, typed)

    def _read(self, form: Any, typed: Decimal) -> None:
        try:
            amount = currencies.to_minor(typed, self.instance.currency)
        except HoldfastError as refusal:
            form.add_error("amount", refusal.message)
            return
        if amount > _HIGHEST:
            form.add_error("amount", f"The price exceeds {currencies.shown(_HIGHEST, self.instance.currency)}.")
        form.cleaned_data["amount"] = form.instance.amount = amount

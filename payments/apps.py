"""Money and the providers. Knows no booking."""

from django.apps import AppConfig
from django.core import checks


class PaymentsConfig(AppConfig):
    """The app of the payments."""

    name = "payments"

    def ready(self) -> None:
        """Have ``check --database`` look at the accounts."""
        from payments.checks import check_accounts  # noqa: PLC0415  # it needs the models

        checks.register(check_accounts, checks.Tags.database)

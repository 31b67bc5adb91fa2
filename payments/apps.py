"""Money and the providers. Knows no booking."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """The app of the payments."""

    name = "payments"

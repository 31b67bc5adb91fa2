"""Makes the provider's state and ours equal, and checks the promises."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    """The app of the reconciliation."""

    name = "reconciliation"

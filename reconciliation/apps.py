"""Making what the provider knows and what we know equal, and checking the promises."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    """The app of the reconciliation."""

    name = "reconciliation"

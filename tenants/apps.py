"""The app of operators, their people and their API clients."""

import importlib

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """The app of operators, their people and their API clients."""

    name = "tenants"

    def ready(self) -> None:
        """Let drf-spectacular know our authentication; it cannot be imported before the apps are ready."""
        importlib.import_module("tenants.schema")

"""The app of operators, their people and their API clients."""

import importlib

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """The app of operators, their people and their API clients."""

    name = "tenants"

    def ready(self) -> None:
        """Register our authentication with drf-spectacular.

        It cannot be imported before the apps are ready.
        """
        importlib.import_module("tenants.schema")

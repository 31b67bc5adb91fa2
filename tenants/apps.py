"""Operators, their people and their API clients: who is calling."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """The app of the tenants."""

    name = "tenants"

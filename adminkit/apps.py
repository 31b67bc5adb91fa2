"""The app of what every page of the backoffice is made of."""

from django.apps import AppConfig


class AdminkitConfig(AppConfig):
    """The app of what every page of the backoffice is made of."""

    name = "adminkit"

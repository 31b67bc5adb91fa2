"""What is on sale: activities, their prices and departures."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """The app of what is on sale."""

    name = "catalogue"

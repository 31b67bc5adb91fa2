"""The app of the demo: its command loads what the demo shows."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The app of the demo."""

    name = "tools.demo"

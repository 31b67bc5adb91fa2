"""What runs by itself: the sweeps, their schedule and their health."""

from django.apps import AppConfig


class SweepsConfig(AppConfig):
    """The app of the sweeps."""

    name = "sweeps"

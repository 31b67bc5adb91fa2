"""What runs by itself: the sweeps, their schedule and their health."""

from django.apps import AppConfig
from django_q.conf import Conf


class SweepsConfig(AppConfig):
    """The app of the sweeps."""

    name = "sweeps"

    def ready(self) -> None:
        """Have the queue sign with the key of the process's start.

        Processes of the queue that read no secrets anew would refuse a task that a rotated key has signed.
        """
        Conf.SECRET_KEY = str(Conf.SECRET_KEY)

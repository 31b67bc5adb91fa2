"""Mails to guests and to the operator's staff."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The app of the mails."""

    name = "notifications"

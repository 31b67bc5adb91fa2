"""Mails to guests and to the operator's staff."""

from django.apps import AppConfig
from django.core import checks

from notifications.checks import check_mails_leave


class NotificationsConfig(AppConfig):
    """The app of the mails."""

    name = "notifications"

    def ready(self) -> None:
        """Have ``check --deploy`` look at how mails leave."""
        checks.register(check_mails_leave, checks.Tags.security, deploy=True)

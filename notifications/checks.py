"""What ``manage.py check --deploy`` says of mails."""

from typing import Any

from django.conf import settings
from django.core import checks


def check_mails_leave(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of a backend that only shows mails.

    No guest gets one, and what is shown may end up in a log.
    """
    if not settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        return []
    hint = "Set MAIL_BACKEND to smtp, ses or sendgrid."
    return [checks.Warning("Mails are shown on the console and not sent.", hint=hint, id="holdfast.W001")]

"""Applies rotated secrets without a restart.

Asked before each request and each sweep.

What it is that takes them over stands in the settings, which know where secrets come from (``SECRETS_REFRESHER``).
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string


def refresh() -> None:
    """Apply changed secrets, if their source can change.

    Costs nothing while they are young.
    """
    if settings.SECRETS_REFRESHER:
        import_string(settings.SECRETS_REFRESHER)()


class RotationMiddleware:
    """Asks before each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.SECRETS_REFRESHER:
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Ask, and answer."""
        refresh()
        return self._get_response(request)

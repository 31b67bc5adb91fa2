"""The app of the backoffice, and Django's admin with our site."""

import importlib
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps

Headers = Callable[[Any], Any]


class BackofficeConfig(AppConfig):
    """The app of the backoffice."""

    name = "backoffice"

    def ready(self) -> None:
        """Make the theme compute list headers once.

        It would do so for each row, in half of a page's time.
        """
        tags: Any = importlib.import_module("unfold.templatetags.unfold_list")
        tags.result_headers = _once_for_a_list(tags.result_headers)


class AdminConfig(apps.AdminConfig):
    """Django's admin with our site as its default site."""

    default_site = "backoffice.site.Site"


def _once_for_a_list(work_out: Headers) -> Headers:
    def headers(changes: Any) -> Any:
        if "_headers" not in changes.__dict__:
            changes.__dict__["_headers"] = list(work_out(changes))
        return changes.__dict__["_headers"]

    return headers

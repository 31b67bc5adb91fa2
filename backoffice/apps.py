"""The app of the backoffice, and Django's admin with our site in it."""

from django.apps import AppConfig
from django.contrib.admin import apps


class BackofficeConfig(AppConfig):
    """The app of the backoffice."""

    name = "backoffice"


class AdminConfig(apps.AdminConfig):
    """Django's admin, with our site as the one that pages are registered at."""

    default_site = "backoffice.site.Site"

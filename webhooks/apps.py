"""Hearing from the providers: the inbox of events."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """The app of the webhooks."""

    name = "webhooks"

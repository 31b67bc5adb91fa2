"""Idempotency-Key: the same request twice has one effect and one answer."""

from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    """The app of the idempotency keys."""

    name = "idempotency"

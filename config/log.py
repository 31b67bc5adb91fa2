"""What is logged, and how: JSON on the standard error."""

from collections.abc import Iterable
from typing import Any

from payments.configuration import ProviderSettings


def settings(*, level: str, providers: Iterable[ProviderSettings]) -> dict[str, Any]:
    """Return the settings of logging."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "common.logs.JsonFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        }
        | {name: {"level": "WARNING"} for provider in providers for name in provider.quiet_loggers},
    }

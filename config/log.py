"""What is logged, and how: JSON on the standard error."""

from typing import Any


def settings(*, level: str) -> dict[str, Any]:
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
            # Its lines at INFO carry the addresses and bodies of calls.
            "stripe": {"level": "WARNING"},
        },
    }

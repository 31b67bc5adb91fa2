"""The settings of ``make up`` in ``.data/env``, for other commands."""

import os
from pathlib import Path

from decouple import RepositoryEnv

from config.env import TRUE
from payments import configuration

FILE = ".data/env"
_OWN = ("SECRET_KEY", *configuration.key_names(), "AWS_SECRETS_ID")
"""Who has given one of these has an installation, not a stack on a developer's machine."""


def adopt(root: Path) -> bool:
    """Use the stack's settings, unless this is an installation; returns whether.

    Only `manage.py` calls this. The web server and other processes in production never do.
    """
    stack, own = root / FILE, root / ".env"
    if any(name in os.environ for name in (*_OWN, "ENV_FILE", "DATABASE_URL")) or not stack.is_file():
        return False
    given = RepositoryEnv(str(own)).data if own.is_file() else {}
    is_developers = given.get("DEBUG", "").strip().lower() in TRUE
    if not is_developers and any(given.get(name, "").strip() for name in _OWN):
        return False
    for name, value in RepositoryEnv(str(stack)).data.items():
        os.environ.setdefault(name, value)
    return True

#!/usr/bin/env python
"""Runs a management command, on the embedded PostgreSQL unless DATABASE_URL names another."""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import embedded_postgres, local_stack
from config.postgres_programs import EmbeddedPostgresError


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # No connection pool, even if the environment has one for the web: its threads do not survive a fork, and qcluster
    # forks its workers; other commands need one connection.
    os.environ["DATABASE_POOL_SIZE"] = "0"
    local_stack.adopt(Path(__file__).resolve().parent)
    try:
        if settings.EMBEDDED_POSTGRES_DIR is not None:
            embedded_postgres.ensure_running(settings.EMBEDDED_POSTGRES_DIR)
    except (ImproperlyConfigured, EmbeddedPostgresError) as problem:
        sys.exit(str(problem))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

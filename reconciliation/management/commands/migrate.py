"""``manage.py migrate``, which also warns of guards without a migration."""

from django.core.management.commands import migrate

from common.commands import CheckedCommand
from common.guard_migrations import GuardAutodetector


class Command(CheckedCommand, migrate.Command):
    """Bring the database to the migrations of this code."""

    autodetector = GuardAutodetector

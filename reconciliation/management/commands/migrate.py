"""``manage.py migrate``: Django's, which also tells of a change of an app's ``guards.py`` that has no migration."""

from django.core.management.commands import migrate

from common.commands import CheckedCommand
from common.guard_migrations import GuardAutodetector


class Command(CheckedCommand, migrate.Command):
    """Bring the database to the migrations of this code."""

    autodetector = GuardAutodetector

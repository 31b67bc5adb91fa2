"""``manage.py makemigrations``: Django's, which also sees a change of an app's ``guards.py``."""

from django.core.management.commands import makemigrations

from common.commands import CheckedCommand
from common.guard_migrations import GuardAutodetector


class Command(CheckedCommand, makemigrations.Command):
    """Write migrations for what changed in models and guards."""

    autodetector = GuardAutodetector

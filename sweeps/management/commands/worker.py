"""``manage.py worker``: make the schedules, then work until told to stop."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from common import connecting, database
from common.commands import CheckedCommand
from sweeps import leases, scheduling


class Command(CheckedCommand):
    """Run a worker."""

    help = "Schedule the sweeps (idempotently) and run a django-q2 cluster."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT.

        Raises:
            CommandError: We connect to the database in a way that would break later.
        """
        if problems := connecting.problems():
            raise CommandError("\n".join(problems))
        database.use_no_pool()
        leases.free_left_behind()
        scheduling.schedule_all()
        scheduling.run_all_soon()
        connections.close_all()  # the cluster forks
        call_command("qcluster")

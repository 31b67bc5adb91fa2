"""``manage.py load_demo``: two operators, their activities and a month of departures."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from common.commands import CheckedCommand
from tools.demo import data, past


class Command(CheckedCommand):
    """Load the demo's data."""

    help = "Load the demo's operators, activities and departures, and print the login. Loading twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the form of the output, and how long a past is wanted."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--reservations", type=int, default=0, metavar="N", help="also write a past of so many reservations"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it.

        Raises:
            CommandError: This installation moves real money, or the past cannot be written.
        """
        if any(provider.is_live for provider in settings.PROVIDERS.values()):
            raise CommandError("The demo is not loaded where a provider's key is a live one.")
        login = data.load(now=timezone.now())
        if options["reservations"] > 0:
            self._load_past(options["reservations"])
        if options["json"]:
            self.stdout.write(json.dumps(login))
        else:
            self.stdout.write("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in login.items()))

    def _load_past(self, number: int) -> None:
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("Reservations", total=number)
            try:
                past.load(
                    reservations=number,
                    now=timezone.now(),
                    progress=lambda done: bar.update(task, completed=done),
                )
            except past.CannotLoadError as error:
                raise CommandError(str(error)) from error

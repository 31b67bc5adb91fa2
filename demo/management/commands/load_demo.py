"""``manage.py load_demo``: two operators, their activities and a month of departures."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from demo import data


class Command(BaseCommand):
    """Load the demo's data."""

    help = "Load the demo's operators, activities and departures, and print the login. Loading twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the form of the output."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it.

        Raises:
            CommandError: This installation moves real money.
        """
        if settings.STRIPE_LIVE_MODE:
            raise CommandError("The demo is not loaded where STRIPE_API_KEY is a live one.")
        login = data.load(now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(login))
        else:
            self.stdout.write("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in login.items()))

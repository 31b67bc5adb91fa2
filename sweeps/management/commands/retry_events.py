"""``manage.py retry_events``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Try kept webhook events again."
    sweep = "retry_events"

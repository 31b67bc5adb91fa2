"""``manage.py forget_request_counts``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Delete the counts of rate limits whose window is over."
    sweep = "forget_request_counts"

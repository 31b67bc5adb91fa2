"""``manage.py look_up_notices``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Look up what kept notices name at their providers."
    sweep = "look_up_notices"

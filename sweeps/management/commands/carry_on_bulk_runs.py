"""``manage.py carry_on_bulk_runs``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Take up actions on many rows whose worker has died."
    sweep = "carry_on_bulk_runs"

"""``manage.py expire_reservations``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Expire holds past their time and release them at the provider."
    sweep = "expire_reservations"

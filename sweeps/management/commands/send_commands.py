"""``manage.py send_commands``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Send the provider commands that are due."
    sweep = "send_commands"

"""``manage.py send_mails``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Write the mails for what has happened, and send what is due."
    sweep = "send_mails"

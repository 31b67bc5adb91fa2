"""``manage.py purge_idempotency_keys``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Delete idempotency keys past their time."
    sweep = "purge_idempotency_keys"

"""``manage.py release_holds``: the sweep of that name, now."""

from sweeps.command import SweepCommand


class Command(SweepCommand):
    """Run the sweep once."""

    help = "Release holds at the provider that are held for nobody, and report those that are not ours."
    sweep = "release_holds"

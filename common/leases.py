"""Leases: a process holds a row until a time.

A lease is over by the database's clock, or when the process is known to have ended; nobody has to take it back. Who was
only slow finds out by a fence: a number, id or time on the row that the next claim has changed.
"""

from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from common import processes


def is_over() -> Q:
    """Select rows without a lease, or with one that has ended."""
    return Q(leased_until=None) | Q(leased_until__lte=Now())


def end_left_behind(running: QuerySet[Any]) -> int:
    """End leases of dead processes of this machine; returns how many.

    ``running`` are the rows in work. What their processes asked for may still be on its way.
    """
    alive = running.filter(leased_until__gt=Now())
    names = alive.order_by().values_list("leased_by", flat=True).distinct()
    gone = [name for name in names if processes.is_gone_before(name)]
    return alive.filter(leased_by__in=gone).update(leased_until=Now())

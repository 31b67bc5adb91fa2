"""The outbox: each outbound call is a stored row first.

It is claimed, sent outside any transaction, recorded, and tried again.

A table of such rows extends :class:`OutboxRow`, and an :class:`Outbox` describes it. The loop is its user's own, in
plain steps; nothing here calls anybody:

1. *Store* the row in the transaction that wants the call. It has the key that every attempt will send.
2. *Claim* it (:meth:`Outbox.due`, :meth:`Outbox.claim`): one statement, committed at once, counts the attempt, takes a
   lease and names the process. Its sub-select locks the row ``FOR NO KEY UPDATE`` and skips one that is locked, so that
   of two claimers one gets it and none waits.
3. *Send* with nothing locked and no transaction open (``database.leave_database``).
4. *Record* what came of it (:meth:`Outbox.fenced`) in the transaction of its effects: done, or due again at
   :meth:`Outbox.retry_at`. The fence is ``attempts``, the number of the claim.
5. *Tell a person* of what has no attempt left (:meth:`Outbox.exhausted`).

A process that dies before 1 commits has asked for nothing; after it, the row is due. In 2 the claim is there or not.
In 3 the lease ends, by the clock or when the machine's next process finds its holder gone, and another sends again with
the same key. In 4 everything is written or nothing, and then it is as in 3. A process that is only slow finds in 4 that
``attempts`` has moved on, and writes nothing of the row: another has it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from common import database, leases, processes, retries

_CLAIM = """UPDATE {table} SET attempts = attempts + 1, leased_until = now() + %s, leased_by = %s{claiming}
            WHERE id = ({due} FOR NO KEY UPDATE SKIP LOCKED) RETURNING *"""
_FOLLOWING = """(SELECT n.id FROM {table} n
                 WHERE n.{object} = {table}.{object} AND n.id <> {table}.id AND n.status IN ({open})
                   AND n.next_attempt_at <= now() AND coalesce(n.leased_until, '-infinity') <= now()
                 ORDER BY n.id LIMIT 1)"""


class OutboxRow(models.Model):
    """Something to send, stored first, and sent until its outcome is known."""

    attempts = models.PositiveIntegerField(
        default=0, help_text="How often it was claimed. Only grows: it is the number of the latest claim."
    )
    extra_attempts = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Attempts beyond those of a round: one for each that came too fast, a round for each by staff.",
    )
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Empty: nobody will try it again.")
    leased_until = models.DateTimeField(null=True, blank=True, help_text="Until then a sender is taken to be alive.")
    leased_by = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="The sender's process, by host, boot and pid."
    )
    last_error = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def attempts_of_round(self) -> int:
        """How many attempts count since a person last asked for more."""
        return self.attempts - self.extra_attempts


Row = TypeVar("Row", bound=OutboxRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox(Generic[Row]):
    """How the rows of one table are claimed and tried again."""

    model: type[Row]
    open: frozenset[str]
    """The statuses of what is not known yet, and is sent."""
    lease: Callable[[], timedelta]
    """Longer than sending takes, time-outs included."""
    most_attempts: Callable[[], int]
    """Of one round; then a person is told."""
    first_delay: timedelta
    longest_delay: timedelta
    claiming: str = ""
    """Columns that a claim sets besides its own, in SQL."""
    in_order_of: str = ""
    """The foreign key to the object whose rows go one after the other, as they were stored. Empty: they are free."""
    first: Q | None = None
    """What goes first of its object, even if the clocks of two nodes ordered the ids otherwise."""

    def due(self) -> QuerySet[Row]:
        """Select the rows to claim now, longest waiting first. Takes no lock."""
        due = self._open().filter(leases.is_over(), next_attempt_at__lte=Now(), attempts__lt=self._allowed())
        return due.filter(self._is_next()).order_by("next_attempt_at")

    def claim(self, row_id: UUID) -> Row | None:
        """Claim a row and return it; None if it is not free.

        Outside a transaction it is one statement, and committed at once. It reads the row with the number of this very
        claim: a process that is paused here must not come back with the number of another.
        """
        due, given = self.due().order_by().filter(pk=row_id).values("pk").query.sql_with_params()
        claiming = f", {self.claiming}" if self.claiming else ""
        statement = _CLAIM.format(table=self.model._meta.db_table, claiming=claiming, due=due)
        claimed = list(self.model._default_manager.raw(statement, [self.lease(), processes.own(), *given]))
        return claimed[0] if claimed else None

    def claim_new(self, row: Row, *, at: datetime) -> None:
        """Claim in memory a row that is not stored yet.

        The process that stores it is its first sender.
        """
        row.attempts, row.leased_until, row.leased_by = 1, at + self.lease(), processes.own()

    def held(self, row: Row) -> QuerySet[Row]:
        """Select a claimed row while no other has claimed it since."""
        return self.model._default_manager.filter(pk=row.pk, attempts=row.attempts)

    def fenced(self, row: Row, fields: Sequence[str], *, fence: Sequence[str] = ("attempts",)) -> database.Fenced:
        """Return the fenced change of a claimed row, by its holder only.

        It returns the id of what waits for it.
        """
        return database.Fenced(row=row, fields=fields, fence=fence, returning=self._following())

    def retry_at(self, row: Row, *, at: datetime, asked: float | None = None) -> datetime:
        """Return when a failed row is tried again; ``asked``: ``Retry-After`` seconds."""
        delay = retries.delay(row.attempts_of_round, first=self.first_delay, longest=self.longest_delay, asked=asked)
        return at + delay

    def start_round(self, row_id: UUID) -> bool:
        """Allow a row all attempts again; False while it is sent."""
        free = self.model._default_manager.filter(leases.is_over(), pk=row_id)
        return bool(free.update(extra_attempts=F("attempts"), leased_until=None, next_attempt_at=Now()))

    def exhausted(self) -> QuerySet[Row]:
        """Select rows without attempts left and without a live sender."""
        return self._open().filter(leases.is_over(), attempts__gte=self._allowed(), next_attempt_at__isnull=False)

    def free_left_behind(self) -> int:
        """End leases of dead senders of this machine; returns how many.

        What they sent may still be on its way: the key makes sending it again harmless.
        """
        return leases.end_left_behind(self._open())

    def _open(self) -> QuerySet[Row]:
        return self.model._default_manager.filter(status__in=sorted(self.open))

    def _is_next(self) -> Q:
        """Say of a row that nothing of its object that is open goes before it."""
        if not self.in_order_of:
            return Q()
        of_same = self._open().filter(Q((self.in_order_of, OuterRef(self.in_order_of))))
        older = Q(id__lt=OuterRef("id"))
        if self.first is None:
            return Q(~Exists(of_same.filter(older)))
        of_first = self.first & ~Exists(of_same.filter(self.first & older))
        return of_first | (~self.first & ~Exists(of_same.filter(self.first | older)))

    def _allowed(self) -> object:
        return F("extra_attempts") + self.most_attempts()

    def _following(self) -> str:
        if not self.in_order_of:
            return "NULL"
        statuses = ", ".join(f"'{status}'" for status in sorted(self.open))
        table, column = self.model._meta.db_table, f"{self.in_order_of}_id"
        return _FOLLOWING.format(table=table, object=column, open=statuses)

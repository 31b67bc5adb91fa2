"""A command: something that we ask of a provider."""

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q

from common import ids, states
from common.outbox import OutboxRow
from payments.models.payment import Payment
from payments.models.refund import Refund
from payments.states import COMMAND_OPEN, COMMAND_TRANSITIONS, CommandKind, CommandStatus


class Command(OutboxRow):
    """A request to a provider, stored before it is sent.

    It is sent again with the same key until its outcome is known.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="commands")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="commands")
    kind = models.CharField(max_length=16, choices=CommandKind.choices)
    amount = models.BigIntegerField()
    parameters = models.JSONField(default=dict, help_text="What is sent, frozen before the first call.")
    status = models.CharField(max_length=16, choices=CommandStatus.choices, default=CommandStatus.REQUESTED)
    turned_away = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Attempts that the provider did not take, so that nothing came of them."
    )
    answer_saved = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The provider keeps an answer under the key that says nothing: read first, then use another key.",
    )
    provider_request_id = models.CharField(max_length=255, blank=True)
    requested_by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField()
    first_sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["payment", "kind"],
                condition=Q(status__in=sorted(COMMAND_OPEN)) & ~Q(kind=CommandKind.REFUND),
                name="command_open_once_per_kind",
            ),
            models.CheckConstraint(condition=Q(status__in=CommandStatus.values), name="command_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="command_amount_positive"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(status__in=sorted(COMMAND_OPEN)), name="command_due"),
            models.Index(fields=["status", "-id"], condition=~Q(status=CommandStatus.DONE), name="command_not_done"),
        ]

    is_wanted = True
    """Whether it was still wanted when it was claimed; no column. A command that was just stored is."""

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def idempotency_key(self) -> str:
        """The key that every attempt sends: one operation, one key (P5)."""
        return idempotency_key(self.id)

    @property
    def may_have_reached_provider(self) -> bool:
        """Whether an attempt before the claimed one may have had an effect."""
        return self.attempts - 1 > self.turned_away

    @property
    def is_open(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.status in COMMAND_OPEN

    def move(self, to: CommandStatus) -> None:
        """Change the status in memory; the one setter of it.

        Raises:
            InvalidStateError: The transition table does not allow it.
        """
        states.check(COMMAND_TRANSITIONS, kind="command", status=self.status, wanted=to)
        self.status = to


def idempotency_key(command_id: UUID) -> str:
    """Spell the key of a command as the provider gets it."""
    return str(command_id)

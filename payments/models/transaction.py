"""Every movement of money, as one list."""

from typing import ClassVar

from django.db import models

from payments.models.payment import Payment
from payments.states import TransactionKind, TransactionStatus
from tenants.models import Operator


class Transaction(models.Model):
    """A movement of money, wanted or made: payments and refunds together.

    A view, for lists in one order of time.
    """

    id = models.UUIDField(primary_key=True)
    operator = models.ForeignKey(Operator, on_delete=models.DO_NOTHING, related_name="+")
    payment = models.ForeignKey(Payment, on_delete=models.DO_NOTHING, related_name="+")
    kind = models.CharField(max_length=8, choices=TransactionKind.choices)
    status = models.CharField(max_length=16, choices=TransactionStatus.choices)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    provider = models.CharField(max_length=32)
    provider_ref = models.CharField(max_length=255)
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "payments_transaction"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

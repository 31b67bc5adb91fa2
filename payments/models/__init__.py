"""Payments, their history, the commands that we give to a provider, refunds, disputes, and all as one list."""

from payments.models.command import Command
from payments.models.giving_back import Dispute, Refund
from payments.models.payment import Payment, PaymentHistory
from payments.models.transaction import Transaction

__all__ = ["Command", "Dispute", "Payment", "PaymentHistory", "Refund", "Transaction"]

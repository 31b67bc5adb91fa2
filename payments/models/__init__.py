"""Accounts, payments and their history, commands to a provider, refunds, disputes, looks, and all as one list."""

from payments.models.account import Mode, ProviderAccount
from payments.models.attempt import Attempt, AttemptResult, Pace
from payments.models.command import Command
from payments.models.giving_back import Dispute, Refund, RefundHistory
from payments.models.payment import Payment, PaymentHistory
from payments.models.transaction import Transaction

__all__ = [
    "Attempt",
    "AttemptResult",
    "Command",
    "Dispute",
    "Mode",
    "Pace",
    "Payment",
    "PaymentHistory",
    "ProviderAccount",
    "Refund",
    "RefundHistory",
    "Transaction",
]

"""Accounts, payments, commands, refunds, disputes, status checks, and their common list."""

from payments.models.account import Mode, ProviderAccount
from payments.models.check_attempt import CheckAttempt, CheckResult
from payments.models.command import Command
from payments.models.dispute import Dispute
from payments.models.payment import Payment, PaymentHistory
from payments.models.provider_throttle import ProviderThrottle
from payments.models.refund import Refund, RefundHistory
from payments.models.transaction import Transaction

__all__ = [
    "CheckAttempt",
    "CheckResult",
    "Command",
    "Dispute",
    "Mode",
    "Payment",
    "PaymentHistory",
    "ProviderAccount",
    "ProviderThrottle",
    "Refund",
    "RefundHistory",
    "Transaction",
]

"""What ``manage.py check --database default`` says of accounts at providers."""

from typing import Any

from django.core import checks
from django.db import connections

from payments import accounts
from payments.models import ProviderAccount
from payments.providers import registry


def check_accounts(*, databases: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse accounts of another mode or of a missing provider."""
    problems: list[checks.CheckMessage] = []
    for alias in databases or ():
        if ProviderAccount._meta.db_table not in connections[alias].introspection.table_names():
            continue  # nothing is migrated yet
        for account in ProviderAccount.objects.using(alias).select_related("operator"):
            wrong = _why_not(account)
            if wrong:
                told = f"{account.operator.name}, {account}: {wrong}"
                hint = "Start with keys of its mode; what is of another mode belongs into another database."
                problems.append(checks.Error(told, hint=hint, id="holdfast.E001"))
    return problems


def _why_not(account: ProviderAccount) -> str:
    if account.provider not in registry.names():
        return "This installation has no such provider."
    return accounts.why_not_here(account)

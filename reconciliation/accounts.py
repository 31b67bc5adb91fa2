"""The provider accounts that reconciliation asks."""

from dataclasses import dataclass

from payments.models import ProviderAccount
from payments.providers import registry
from tenants.models import Operator


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """An account at a provider; the platform's own has no name."""

    provider: str
    account: str = ""

    def __str__(self) -> str:
        return f"{self.provider} {self.account}".strip()


def list_accounts(*, operator: Operator | None = None) -> list[Account]:
    """List the platform's accounts and all of operators, past ones too.

    With ``operator``, those of one.
    """
    rows = ProviderAccount.objects.filter(provider__in=registry.names())
    own = rows if operator is None else rows.filter(operator=operator)
    found = {Account(*names) for names in own.values_list("provider", "reference")}
    platform = set() if operator is not None else {Account(provider) for provider in registry.names()}
    return sorted(found | platform)

"""Which accounts of which providers are to be asked."""

from dataclasses import dataclass

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
    """List the platform's account and those of operators (of one, if given) at every provider."""
    if operator is not None:
        names = {operator.stripe_account}
    else:
        names = {"", *Operator.objects.values_list("stripe_account", flat=True)}
    return [Account(provider, name) for provider in registry.names() for name in sorted(names)]

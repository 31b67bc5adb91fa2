"""Reading a provider's lists for an account, at the pace of the background."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from payments import pacing
from payments.providers import registry
from payments.providers.base import Provider
from reconciliation.accounts import Account

T = TypeVar("T")

Wait = Callable[[float], None]
"""What to do for so many seconds, when the provider may not be called now: give up, or wait."""


def read(account: Account, rows: Callable[[Provider], Iterator[T]], *, wait: Wait = pacing.give_up) -> Iterator[T]:
    """Read a list of an account's provider, page by page.

    Raises:
        ProviderError, PausedError: The provider cannot be asked.
    """
    provider = registry.get(account.provider)
    return pacing.paced(lambda: rows(provider), provider=account.provider, account=account.account, wait=wait)

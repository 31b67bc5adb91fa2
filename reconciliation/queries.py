"""Reads of a provider's lists for an account, at its throttle."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from common import loops
from payments import throttle
from payments.providers import registry
from payments.providers.base import Provider
from payments.providers.notifications import Unreadable
from reconciliation.accounts import Account

T = TypeVar("T")

_NAME = "read_list"

Wait = Callable[[float], None]
"""What to do for so many seconds, when the provider may not be called now: give up, or wait."""


def read(
    account: Account, rows: Callable[[Provider], Iterator[T | Unreadable]], *, wait: Wait = throttle.give_up
) -> Iterator[T]:
    """Read a list of an account's provider, page by page.

    What cannot be read is a row that failed, and stops no other.

    Raises:
        ProviderError, PausedError: The provider cannot be asked.
    """
    provider = registry.get(account.provider)
    found = throttle.read_list(lambda: rows(provider), provider=account.provider, account=account.account, wait=wait)
    for row in found:
        if isinstance(row, Unreadable):
            loops.fail(row.error, name=_NAME, row=row.ref or f"(without an id, of {account})")
        else:
            yield row

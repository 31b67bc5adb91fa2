"""Which providers there are, by name."""

from collections.abc import Callable
from functools import cache

from payments.providers.base import Provider
from payments.providers.stripe.adapter import StripeProvider

_MAKERS: dict[str, Callable[[], Provider]] = {StripeProvider.name: StripeProvider.from_settings}


def names() -> list[str]:
    """List the providers that a payment may name."""
    return sorted(_MAKERS)


@cache
def get(name: str) -> Provider:
    """Return the provider of that name, made once for each process so that its connections are kept."""
    return _MAKERS[name]()

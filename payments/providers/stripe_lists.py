"""Reading a list of Stripe's to its end, page by page. https://docs.stripe.com/api/pagination"""

from collections.abc import Callable, Iterator
from typing import Any

from payments.providers import stripe_errors, stripe_fields, stripe_params

_LARGEST_PAGE = 100


def read(
    service: Any, params: dict[str, Any], account: str, *, on_page: Callable[[], None] = lambda: None
) -> Iterator[dict[str, Any]]:
    """Read each object of a list, newest first. ``on_page`` is called before each page but the first.

    Raises:
        ProviderError: A page cannot be had.
    """
    with stripe_errors.translated(account):
        page = service.list({**params, "limit": _LARGEST_PAGE}, stripe_params.options(account))
        while True:
            for row in page.data:
                yield stripe_fields.plain(row)
            if not page.has_more or page.is_empty:
                return
            on_page()
            page = page.next_page()

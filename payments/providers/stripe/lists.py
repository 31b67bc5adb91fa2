"""Reading a list of Stripe's to its end, page by page. https://docs.stripe.com/api/pagination

What is read is the JSON, and not the SDK's objects, which cannot be made where it is nested deep: one object would take
its page with it, and with that the way to the next.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payments.providers.errors import UnreadableError
from payments.providers.notifications import Unreadable
from payments.providers.stripe import errors, fields, objects, params

Ask = Callable[..., Any]
"""``stripe.StripeClient.raw_request``"""

_LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    has_more: bool

    @property
    def last_id(self) -> str:
        """The id of the last object that has one; those behind it come once more with the next page."""
        ids = (fields.find_text(row, "id") for row in reversed(self.rows) if isinstance(row, Mapping))
        return next(filter(None, ids), "")


def read(
    ask: Ask, path: str, asked: dict[str, Any], account: str, *, on_page: Callable[[], None] = lambda: None
) -> Iterator[Any]:
    """Read each object of a list as sent, newest first.

    ``on_page`` is called before each page but the first.

    A page that cannot be read ends the list, and an ``Unreadable`` stands for it: only a page tells of the next.

    Raises:
        ProviderError: A page cannot be had.
    """
    last_id = ""
    while True:
        page = _page(ask, path, asked | ({"starting_after": last_id} if last_id else {}), account)
        if isinstance(page, Unreadable):
            yield page
            return
        yield from page.rows
        if not page.has_more or not page.rows:
            return
        if page.last_id in ("", last_id):
            yield Unreadable(error=UnreadableError("no object of the page has an id, to go on from"))
            return
        last_id = page.last_id
        on_page()


def find(rows: Iterator[Any], *, key: str) -> dict[str, Any] | None:
    """Find the object that a command has made, by its key.

    Raises:
        ProviderError: A page cannot be had.
        UnreadableError: It is not found, and may be among what cannot be read.
    """
    unreadable = None
    for row in fields.readable(rows, lambda row: row):
        if isinstance(row, Unreadable):
            unreadable = unreadable or row.error
        elif fields.find_fields(row, "metadata").get(objects.COMMAND_KEY) == key:
            return row
    if unreadable is not None:
        raise unreadable
    return None


def _page(ask: Ask, path: str, asked: dict[str, Any], account: str) -> _Page | Unreadable:
    asked = {**asked, "limit": _LARGEST_PAGE, **params.options(account)}
    try:
        with errors.translated_reading(account):
            told = ask("get", path, **asked).data
        page = fields.get_fields({"page": told}, "page")
        return _Page(rows=fields.get_list(page, "data"), has_more=fields.get_flag(page, "has_more"))
    except UnreadableError as error:
        return Unreadable(error=error)

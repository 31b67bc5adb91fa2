"""Lists as Stripe pages them: the newest first, from one object to the next.

See https://docs.stripe.com/api/pagination.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tools.sandbox.form import Params
from tools.sandbox.stripe import params
from tools.sandbox.stripe.errors import InvalidInteger, InvalidRequest, ResourceMissing
from tools.sandbox.stripe.objects import StripeObject

PARAMS = frozenset({"limit", "starting_after", "ending_before", "expand"})
DEFAULT_LIMIT = 10
LARGEST_LIMIT = 100
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda created, bound: created > bound,
    "gte": lambda created, bound: created >= bound,
    "lt": lambda created, bound: created < bound,
    "lte": lambda created, bound: created <= bound,
}

Row = TypeVar("Row")


def page(
    oldest_first: Iterable[Row],
    given: Params,
    *,
    matches: Callable[[Row], bool],
    identify: Callable[[Row], str],
    render: Callable[[Row], StripeObject],
    kind: str,
    url: str,
) -> StripeObject:
    """Return one page of the rows that match. Raises: ResourceMissing for an unknown cursor, InvalidInteger."""
    limit = params.find_integer(given, "limit") or DEFAULT_LIMIT
    if limit > LARGEST_LIMIT:
        raise InvalidInteger("limit", f"This value must be less than or equal to {LARGEST_LIMIT}.")
    after = params.find_string(given, "starting_after")
    before = params.find_string(given, "ending_before")
    if after is not None and before is not None:
        raise InvalidRequest("You can only specify one of these parameters: starting_after, ending_before.")
    newest_first = list(oldest_first)[::-1]
    positions = {identify(row): position for position, row in enumerate(newest_first)}
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in positions:
            raise ResourceMissing(kind, cursor, param=name)
    if before is not None:
        rows = [row for row in newest_first[: positions[before]] if matches(row)]
        shown = rows[-limit:]
    else:
        start = 0 if after is None else positions[after] + 1
        rows = [row for row in newest_first[start:] if matches(row)]
        shown = rows[:limit]
    return {
        "object": "list",
        "data": [render(row) for row in shown],
        "has_more": len(rows) > len(shown),
        "url": url,
    }


def page_of_objects(
    objects: dict[str, StripeObject], given: Params, *, matches: Callable[[StripeObject], bool], kind: str, url: str
) -> StripeObject:
    """Return one page of plain objects, also filtered by `created`."""
    created = created_filter(given)
    return page(
        objects.values(),
        given,
        matches=lambda row: created(row) and matches(row),
        identify=lambda row: str(row["id"]),
        render=lambda row: row,
        kind=kind,
        url=url,
    )


def created_filter(given: Params) -> Callable[[StripeObject], bool]:
    """Return a test of an object's `created`."""
    return time_filter(given, "created")


def time_filter(given: Params, field: str) -> Callable[[StripeObject], bool]:
    """Return a test of a time of an object for `field=n` or `field[gte]=n` and the like."""
    value: Any = given.get(field)
    if value is None or value == "":
        return lambda row: True
    if not isinstance(value, dict):
        exact = params.get_integer(given, field, minimum=0)
        return lambda row: bool(row[field] == exact)
    params.check_known({f"{field}[{name}]": None for name in value}, {f"{field}[{name}]" for name in COMPARISONS})
    bounds = [(COMPARISONS[name], params.get_integer(value, name, minimum=0)) for name in value]
    return lambda row: all(compare(row[field], bound) for compare, bound in bounds)


def field_filter(given: Params, *names: str) -> Callable[[StripeObject], bool]:
    """Return a test that an object's fields equal the parameters of the same name, where given."""
    wanted = {name: value for name in names if (value := params.find_string(given, name)) is not None}
    return lambda row: all(row[name] == value for name, value in wanted.items())


def matches_type(kind: str, wanted: str) -> bool:
    """Say whether an event type is the one wanted; `charge.*` stands for all that begin with `charge.`."""
    return kind.startswith(wanted[:-1]) if wanted.endswith(".*") else kind == wanted

"""Authentic events with something odd in them: bodies that Stripe has never sent, and signed all the same."""

import copy
import json
import time
from collections.abc import Iterator
from typing import Any

MISSING = object()

_LONG = "x" * 70_000
_TEXTS: tuple[Any, ...] = (
    MISSING,
    None,
    5,
    1.5,
    True,
    [],
    ["x"],
    {},
    {"id": "pi_1"},
    "",
    _LONG,
    "\0",
    "x\0y",
    "\ud800",
    "\udfff x",
)
_NUMBERS: tuple[Any, ...] = (
    MISSING,
    None,
    "5",
    1.5,
    -1,
    True,
    [],
    {},
    2**53 + 1,
    10**30,
    float("nan"),
    float("inf"),
    1e300,
)
_OBJECTS: tuple[Any, ...] = (MISSING, None, 5, "text", [], {}, True)

FIELDS: dict[str, tuple[Any, ...]] = {
    "id": _TEXTS,
    "type": (*_TEXTS, "payment_intent.", "payment_intent.succeeded\0", "charge.dispute.created", "refund.updated"),
    "created": (*_NUMBERS, 253_402_300_800, -(10**15), "2026-11-25"),
    "livemode": (MISSING, None, "false", 0, 1, [], {}),
    "account": (5, True, [], {}, ["acct_1"], {"id": "acct_1"}, _LONG, "\0", "\ud800"),
    "api_version": (None, 5, {}, _LONG, "\0"),
    "data": _OBJECTS,
    "data.object": _OBJECTS,
    "data.object.id": _TEXTS,
    "data.object.object": (MISSING, None, 5, {}, "charge"),
    "data.object.status": _TEXTS,
    "data.object.amount": _NUMBERS,
    "data.object.amount_received": _NUMBERS[1:],
    "data.object.currency": (*_TEXTS, "usdd", "us", "ﬀf", "ßßß"),
    "data.object.metadata": (
        None,
        5,
        "text",
        [],
        {"holdfast_payment": {}},
        {"holdfast_payment": "no"},
        {"a\ud800": "\0"},
    ),
    "data.object.last_payment_error": (5, "text", [], {"code": {}}, {"code": _LONG, "message": _LONG}),
    "data.object.latest_charge": (5, [], {"payment_method_details": "text"}, {"receipt_url": _LONG}),
    "data.object.next_action": (5, "text", [], {"a": "\0"}),
    "data.object.client_secret": (5, {}, _LONG, "\0"),
}
"""What is put in the place of each field."""

BODIES: tuple[bytes, ...] = (
    b"", b" ", b"null", b"[]", b"{}", b"5", b'"x"', b"NaN", b"not json", b"\xff\xfe", b"\x00", b'{"id": "evt_1"',
    b"[[{}]]",
    b"[" * 100_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b'{"data":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"id": ' + b"9" * 5_000 + b"}", b'{"created": 1e400}', b'{"id": "a", "id": "b"}',
    "{\"id\": \"evt_16\"}".encode("utf-16"), b"\xef\xbb\xbf{}", b'{"a": "' + b"x" * (1024 * 1024 - 9) + b'"}',
)  # fmt: skip
"""Bodies that are no event at all."""


def sound(**changes: Any) -> dict[str, Any]:
    """Write an event that nothing is wrong with, of a payment that is not ours."""
    intent = {"id": "pi_odd", "object": "payment_intent", "status": "succeeded", "amount": 4500,
              "amount_received": 4500, "currency": "usd", "metadata": {}}  # fmt: skip
    return {
        "id": "evt_sound", "object": "event", "type": "payment_intent.succeeded", "livemode": False,
        "created": int(time.time()), "api_version": "2026-10-28.endive", "data": {"object": intent}, **changes,
    }  # fmt: skip


def events(*, of: dict[str, Any] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Write one event for each field and each odd value of it, with a name of what is odd."""
    for path, values in FIELDS.items():
        for number, value in enumerate(values):
            event = copy.deepcopy(sound() if of is None else of) | {"id": f"evt_{path}_{number}"}
            *way, last = path.split(".")
            inner = event
            for name in way:
                inner = inner[name]
            if value is MISSING:
                inner.pop(last, None)
            else:
                inner[last] = value
            yield f"{path} {number}", event


def bodies() -> Iterator[tuple[str, bytes]]:
    """Write the bodies of those events, and those that are none."""
    for name, event in events():
        yield name, json.dumps(event).encode()
    for number, body in enumerate(BODIES):
        yield f"body {number}", body

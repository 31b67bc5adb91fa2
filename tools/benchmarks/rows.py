"""The same work among few reservations and among many: what it costs must not grow with what lies beside it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing import get_context

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking import expiring
from catalogue.models import Activity, Slot
from reconciliation import status_checks
from tools.benchmarks import copying, databases, filling, provider, stack
from tools.benchmarks.load import Seen, wrk
from tools.benchmarks.targets import Target
from tools.demo import data, past

FEW, MANY = 10_000, 1_000_000
PENDING, LOOKED_AT = 10_000, 500
_READERS = 4
_SLOTS = 12_500
_PAGES = {"the dashboard": "admin:index", "the list of reservations": "admin:booking_reservation_changelist"}

EXPIRE_FEW, EXPIRE_MANY = f"expire {FEW:,} due among {FEW:,}", f"expire {MANY // 10:,} due among {MANY:,}"
EXPIRE_BY_TWO = f"{EXPIRE_MANY}, by two sweeps"
LOOK_FEW, LOOK_MANY = (f"ask for {LOOKED_AT} of {PENDING:,} pending among {number:,}" for number in (FEW, MANY))


def _page(name: str, number: int) -> str:
    return f"{name} over {number:,}"


def _targets() -> Iterator[Target]:
    yield Target(EXPIRE_FEW)
    yield Target(EXPIRE_MANY, beside=EXPIRE_FEW, least=1 / 1.3, rate=5_000)
    yield Target(EXPIRE_BY_TWO, beside=EXPIRE_MANY, rate=5_000)
    yield Target(LOOK_FEW)
    yield Target(LOOK_MANY, beside=LOOK_FEW)
    for name in _PAGES:
        yield Target(_page(name, FEW))
        yield Target(_page(name, MANY), beside=_page(name, FEW), figure="p50")


TARGETS = tuple(_targets())


def prepare() -> None:
    """Write both databases, unless they are there: the second takes some minutes and 6 GB."""
    provider.install()
    for number in (FEW, MANY):
        databases.make(_name(number))
        data.load(now=timezone.now(), login_file=stack.DATA / "login.json")
        past.load(reservations=number, now=timezone.now(), progress=lambda done: None)
        if not Slot.objects.filter(capacity=copying.ROOM).exists():
            copying.make_slots(Activity.objects.filter(exclusive=False)[0], _SLOTS)


def a_round(*, seconds: float) -> Iterator[tuple[str, Seen]]:
    """Do all of it among few and among many: what writes in fresh copies, the pages over what they are copies of."""
    few, many = databases.copy_anew(_name(FEW)), databases.copy_anew(_name(MANY))
    for name, database, due, expire in (
        (EXPIRE_FEW, few, FEW, expiring.expire_due),
        (EXPIRE_MANY, many, MANY // 10, expiring.expire_due),
        (EXPIRE_BY_TWO, many, MANY // 10, _expire_by_two),
    ):
        databases.use(database)
        expiring.expire_due()  # the demo's own
        copying.copy_holds(due)
        yield name, _timed(due, expire)
    for name, database in ((LOOK_FEW, few), (LOOK_MANY, many)):
        databases.use(database)
        copying.copy_payments(PENDING)
        yield name, _timed(LOOKED_AT, lambda: len(status_checks.reconcile_due(limit=LOOKED_AT).lines))
    with ExitStack() as servers:
        addresses = {}
        for number in (FEW, MANY):
            databases.use(_name(number))
            addresses[number] = servers.enter_context(stack.serving()), _cookie()
        for name, view in _PAGES.items():
            filling.write("page", [reverse(view)])
            for number, (address, cookie) in addresses.items():
                given = {"PATHS": str(filling.path("page")), "COOKIE": cookie}
                yield _page(name, number), wrk("get.lua", address, clients=_READERS, seconds=seconds, **given)


def _name(number: int) -> str:
    return f"benchmark_{number}"


def _expire_by_two() -> int:
    """Expire by two sweeps beside each other; any number may run at once."""
    databases.disconnect()
    with get_context("fork").Pool(2) as sweeps:
        return sum(sweeps.map(_expire, range(2), chunksize=1))


def _expire(_: int) -> int:
    return expiring.expire_due()


def _timed(number: int, work: Callable[[], int]) -> Seen:
    began = time.perf_counter()
    done = work()
    took = time.perf_counter() - began
    assert done == number, f"{done} of {number} were done"
    return Seen(rate=number / took)


def _cookie() -> str:
    """Return the cookies of a superuser who is signed in."""
    user, _ = get_user_model().objects.get_or_create(
        username="benchmark", defaults={"is_staff": True, "is_superuser": True}
    )
    browser = Client()
    browser.force_login(user)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())

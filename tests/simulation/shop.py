"""What is sold in a world: two operators, each with an account of its own, and departures with few places."""

from datetime import timedelta

from catalogue.models import Activity, Slot
from reconciliation import accounts, watermarks
from tenants.models import Operator
from tests.simulation.clock import BEGINNING
from tests.support.api import Frontend
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory, make_client

ROGUE = "acct_rogue"
_FIRST, _SECOND = ("", (2, 3, 6)), ("acct_simulated", (2, 4))


class Shop:
    """An operator with an activity and its departures, and a boat for one party."""

    def __init__(self, *, account: str, places: tuple[int, ...]) -> None:
        self.operator: Operator = OperatorFactory.create(hold_ttl_seconds=900, account=account)
        self.account = account
        activity: Activity = ActivityFactory.create(
            operator=self.operator, terms="until 20 h: keep 0 %\nuntil 1 h: keep 20 %",
            plan="30 %, balance 0 days before",
        )  # fmt: skip
        start = BEGINNING + timedelta(days=1)
        self.slots: list[Slot] = [
            SlotFactory.create(activity=activity, capacity=capacity, starts_at=start + timedelta(hours=number))
            for number, capacity in enumerate(places)
        ]
        self.boat: Activity = ActivityFactory.create(operator=self.operator, name="The whole boat", exclusive=True)
        self.slots += [
            SlotFactory.create(activity=self.boat, capacity=4, starts_at=start + timedelta(hours=hours))
            for hours in (0, 1)  # they overlap
        ]
        self.day = start.date()
        self._key = make_client(self.operator)[1]

    def frontend(self) -> Frontend:
        """Return a frontend of the shop."""
        return Frontend(self._key)


def open_all() -> list[Shop]:
    """Open the shops of a world: the first sells on the platform's own account, the second on a connected one."""
    shops = [Shop(account=account, places=places) for account, places in (_FIRST, _SECOND)]
    OperatorFactory.create(account=ROGUE, account__secrets="STRIPE_ROGUE")
    for account in accounts.list_accounts():
        for lists in ("events", "holds"):
            watermarks.note_read(name=lists, account=account, until=BEGINNING)  # they have been open for a while
    return shops

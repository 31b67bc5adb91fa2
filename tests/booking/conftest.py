"""A boat for one party, and a departure of it."""

import pytest

from catalogue.models import Activity, Slot
from tests.support.factories import ActivityFactory, SlotFactory
from tests.support.sandbox_client import Sandbox


@pytest.fixture
def boat(sandbox: Sandbox) -> Activity:
    """A boat for one party, with one price."""
    return ActivityFactory.create(exclusive=True, rates={"adult": 68000})


@pytest.fixture
def morning(boat: Activity) -> Slot:
    """A departure of two hours."""
    return SlotFactory.create(activity=boat, capacity=10)

"""A boat for one party, and a departure of it."""

import pytest

from catalogue.models import Resource, Slot
from tests.support.factories import ResourceFactory, SlotFactory
from tests.support.sandbox_client import Sandbox


@pytest.fixture
def boat(sandbox: Sandbox) -> Resource:
    """A boat for one party, with one price."""
    return ResourceFactory.create(exclusive=True, rates={"adult": 68000})


@pytest.fixture
def morning(boat: Resource) -> Slot:
    """A departure of two hours."""
    return SlotFactory.create(resource=boat, capacity=10)

"""What the tests of mails stand on."""

from datetime import UTC, datetime

import pytest

from catalogue.models import Slot
from tests.support.factories import SlotFactory


@pytest.fixture
def slot() -> Slot:
    """A departure in Lisbon at nine o'clock, when it is summer there."""
    starts = datetime(2027, 7, 1, 8, 0, tzinfo=UTC)
    return SlotFactory.create(starts_at=starts, capacity=5)

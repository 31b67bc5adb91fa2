"""A place that is paid, on a day that is full with it, and another day that costs more."""

from datetime import timedelta
from typing import Any

import pytest

from catalogue.models import Slot
from common import database
from tests.support.api import Frontend
from tests.support.changing import price
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.selling import sell


@pytest.fixture
def here() -> Slot:
    at = database.now() + timedelta(days=20)
    return SlotFactory.create(
        starts_at=at, ends_at=at + timedelta(hours=2), capacity=1, activity__terms="until 48 h: keep 0 %"
    )


@pytest.fixture
def there(here: Slot) -> Slot:
    at = here.starts_at + timedelta(days=1)
    return SlotFactory.create(activity=here.activity, starts_at=at, ends_at=at + timedelta(hours=2), capacity=3)


@pytest.fixture
def frontend(here: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(here)


@pytest.fixture
def made(frontend: Frontend, here: Slot, sandbox: Sandbox) -> dict[str, Any]:
    """A place that is paid: 45.00 USD; another day costs 75.00 from now on."""
    sold = sell(frontend, here, sandbox)
    price(here, 7500)
    return sold

"""What the tests of the reconciliation begin with."""

import pytest

from payments.models import Payment
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox


@pytest.fixture
def held(sandbox: Sandbox) -> Payment:
    """A payment that is held for a reservation that nobody has confirmed."""
    slot = SlotFactory.create()
    assert Frontend.of(slot).reserve(slot).status_code == 201
    return Payment.objects.get()

"""How long a hold lives: the operator's time, up to the ceiling and to what the provider holds its money for."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from booking import holds
from booking.models import Reservation
from payments.models import Payment
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def lifetime(reservation: Reservation) -> timedelta:
    """Return how long a hold lives from its making on."""
    assert reservation.expires_at is not None
    return reservation.expires_at - reservation.created_at


class TestFirstEnd:
    @pytest.mark.parametrize(
        ("own", "seconds"), [(None, 900), (60, 60), (3_599, 3_599), (3_601, 3_600), (30 * 86_400, 3_600)]
    )
    def test_is_the_operators_up_to_the_ceiling(self, sandbox: Sandbox, own: int | None, seconds: int) -> None:
        slot = SlotFactory.create(activity__operator=OperatorFactory.create(hold_ttl_seconds=own))
        assert Frontend.of(slot).reserve(slot).status_code == 201
        assert lifetime(Reservation.objects.get()) == timedelta(seconds=seconds)


class TestMoneyThatIsLetGo:
    def test_ends_the_hold_before(self, sandbox: Sandbox, settings: Settings) -> None:
        """The ceiling of this installation is longer than the card is held."""
        settings.HOLD_CEILING_SECONDS = 30 * 86_400
        slot = SlotFactory.create(activity__operator=OperatorFactory.create(hold_ttl_seconds=20 * 86_400))
        Frontend.of(slot).reserve(slot)
        made = Reservation.objects.select_related("payment").get()
        assert made.payments[-1].capture_before is not None
        assert made.expires_at == made.payments[-1].capture_before - timedelta(hours=1)

    @pytest.mark.parametrize(
        ("minutes", "wanted", "lives"),
        [
            (None, 15, 15),
            (90, 15, 15),
            (70, 15, 10),
            (61, 15, 1),
            (60, 35, 30),
            (60, 15, 15),
            (40, 35, 20),
            (-5, 15, 0),
        ],
    )
    def test_ends_it_in_time_however_short_it_is_held(self, minutes: int | None, wanted: int, lives: int) -> None:
        at = datetime(2026, 11, 25, 12, tzinfo=UTC)
        before = None if minutes is None else at + timedelta(minutes=minutes)
        hold = Reservation(status="pending", created_at=at, payment=Payment(capture_before=before))
        hold.expires_at = at + timedelta(minutes=wanted)
        holds.shorten(hold, at=at)
        assert lifetime(hold) == timedelta(minutes=lives)

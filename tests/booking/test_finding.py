"""Reservations are found by their reference and by the customer's address."""

from typing import Any

import pytest

from catalogue.models import Slot
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot() -> Slot:
    return SlotFactory.create(capacity=5)


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(slot)


def booked(frontend: Frontend, slot: Slot, email: str) -> str:
    made = frontend.reserve(slot, customer={"name": "Ana Souza", "email": email}).json()
    reference: str = made["reservation"]["reference"]
    return reference


def found(frontend: Frontend, **query: Any) -> list[str]:
    return sorted(each["reservation"]["reference"] for each in frontend.get("reservations", **query).json()["results"])


def test_by_reference_in_any_case(frontend: Frontend, slot: Slot) -> None:
    reference, _ = (booked(frontend, slot, email) for email in ("ana@example.com", "bo@example.com"))
    assert found(frontend, reference=reference.lower()) == [reference]
    assert found(frontend, reference=reference[:-1]) == []


def test_by_the_whole_address_in_any_case(frontend: Frontend, slot: Slot) -> None:
    both = sorted(booked(frontend, slot, email) for email in ("ana@example.com", "Ana@example.com"))
    booked(frontend, slot, "ana@example.com.br")
    booked(frontend, slot, "mariana@example.com")
    assert found(frontend, email="ANA@example.com") == both
    assert found(frontend, email="ana@example.co") == []


def test_of_no_other_operator(frontend: Frontend, slot: Slot) -> None:
    reference = booked(frontend, slot, "ana@example.com")
    other = Frontend.of(SlotFactory.create())
    assert found(other, reference=reference) == found(other, email="ana@example.com") == []


def test_an_address_that_is_none_is_refused(frontend: Frontend, slot: Slot) -> None:
    refused = frontend.get("reservations", email="ana")
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "email")

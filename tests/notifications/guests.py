"""Guests who reserve and pay, and speak a language."""

from typing import Any

from catalogue.models import Slot
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.sandbox_client import Sandbox


def reserve(slot: Slot, *, language: str = "", **more: Any) -> tuple[Frontend, str]:
    """Reserve for a guest who speaks a language."""
    frontend = Frontend.of(slot)
    guest = {"name": "Ana Souza", "email": "ana@example.com"} | ({"language": language} if language else {})
    answer = frontend.reserve(slot, customer=guest, **more)
    assert answer.status_code == 201, answer.content
    return frontend, answer.json()["reservation"]["id"]


def pay(slot: Slot, sandbox: Sandbox, **more: Any) -> tuple[Frontend, str]:
    """Reserve and pay."""
    frontend, made = reserve(slot, capture_method="automatic", **more)
    stripe_events.deliver_all(sandbox)
    return frontend, made

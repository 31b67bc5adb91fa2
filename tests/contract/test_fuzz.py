"""Every operation that the schema tells of, with what the schema allows and what it does not: no answer breaks it.

A short form; `make fuzz` runs the long one (FUZZ_EXAMPLES for each operation).
"""

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from config.wsgi import application
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.paying import create
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))

schema = schemathesis.openapi.from_wsgi("/api/v1/schema?format=json", application)


@pytest.fixture
def world(sandbox: Sandbox) -> dict[str, str]:
    """A frontend with a slot, a reservation and a payment; returns what its paths may name, and its key."""
    slot = SlotFactory.create(capacity=1000)
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot).json()
    return {
        "key": frontend.key,
        "slot_id": str(slot.pk),
        "resource_id": str(slot.activity_id),
        "reservation_id": made["reservation"]["id"],
        "intent_id": create(frontend).json()["id"],
        "transaction_id": made["payment"]["id"],
    }


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_breaks_the_schema(case: Any, world: dict[str, str]) -> None:
    # Half of the paths that are well-formed name something that is there. What is generated to be wrong stays as it is.
    is_wrong = case.meta.generation.mode is GenerationMode.NEGATIVE
    if not is_wrong:
        for name in set(case.path_parameters or {}) & set(world):
            if len(str(case.path_parameters[name])) and hash(case.path_parameters[name]) % 2:
                case.path_parameters[name] = world[name]
    key = {"Authorization": f"Bearer {world['key']}"}
    # A request whose only fault is that it has no key gets one here, and is none that is to be refused.
    excluded = [negative_data_rejection] if is_wrong and "Authorization" not in (case.headers or {}) else []
    case.call_and_validate(headers=key, excluded_checks=excluded)

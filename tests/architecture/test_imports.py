"""What talks to others is imported where it belongs, and models import no use case.

The layers, and that no package has a circle, are import-linter's (pyproject.toml).
"""

from collections.abc import Iterator

import pytest

from tests.support.source import Module, breaches, finds, imported

CLIENTS = {
    "stripe": {"payments/providers/stripe/adapter.py", "payments/providers/stripe/errors.py"},
    "boto3": {"config/secrets.py"},
    "botocore": {"config/secrets.py"},
    "redis": {"common/redis_client.py"},
    "smtplib": {"notifications/sending.py"},
    "anymail": {"notifications/sending.py"},
    "requests": {"tenants/cognito.py", "backoffice/cognito.py"},
    "urllib.request": set(),
    "http.client": set(),
    "socket": {"config/serving.py", "common/processes.py"},
    "httpx": set(),
    "aiohttp": set(),
    "urllib3": set(),
}
"""Each client of a network, and the modules that may import it."""
BELOW_MODELS = frozenset({"fields", "models", "offer_history", "states"})
"""Modules that the models of their package are made of; a package's migrations and use cases stand on the models."""


def clients_imported_elsewhere(module: Module) -> Iterator[str]:
    """Find imports of a client in other modules than its own, also by its name in a text."""
    for node in module.walk():
        for name in imported(node):
            for client, places in CLIENTS.items():
                if (name == client or name.startswith(f"{client}.")) and module.name not in places:
                    yield f"{module.at(node)} imports {name}"


def use_cases_in_models(module: Module) -> Iterator[str]:
    """Find imports by which a package's models would stand on what stands on them."""
    package, *inside = module.name.removesuffix(".py").split("/")
    if not inside or inside[0] != "models":
        return
    for node in module.walk():
        for name in imported(node):
            of, _, rest = name.partition(".")
            if of == package and rest.split(".")[0] not in BELOW_MODELS:
                yield f"{module.at(node)} imports {name}"


def test_models_import_no_use_case() -> None:
    assert "\n".join(breaches(use_cases_in_models)) == ""


@pytest.mark.parametrize("fault", ["from booking import reserving", "from booking.sales import draw_up"])
def test_one_that_they_import_is_seen(fault: str) -> None:
    assert finds(use_cases_in_models, fault, name="booking/models.py")
    assert finds(use_cases_in_models, fault, name="booking/models/slot.py")
    assert not finds(use_cases_in_models, fault, name="booking/confirming.py")


def test_a_client_is_imported_in_its_own_modules() -> None:
    assert "\n".join(breaches(clients_imported_elsewhere)) == ""


@pytest.mark.parametrize(
    "fault",
    [
        "import stripe",
        "from stripe import Webhook",
        "def f():\n    import stripe.error",
        "importlib.import_module('stripe')",
        "from urllib import request",
        "from http.client import HTTPConnection",
        "import redis.asyncio",
    ],
)
def test_one_elsewhere_is_seen(fault: str) -> None:
    assert finds(clients_imported_elsewhere, fault)
    assert finds(clients_imported_elsewhere, fault, name="backoffice/planted.py")

"""What every test stands on: an environment of its own, a throw-away PostgreSQL, and the sandbox."""

import os
from collections.abc import Iterator

import django
import pytest
from django.conf import settings
from django.db import connections
from pytest_django import Settings

from config import embedded_postgres
from config.env import EMBEDDED
from tests.support import database, environment, sandbox_client, virtual_clock

# A worker of xdist has inherited all this from the process that started it.
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
OWN_DATABASE = None

if not IS_WORKER:
    # While this file is imported, because pytest-django reads the settings as soon as it has been.
    environment.prepare()
    if os.environ.get("DATABASE_URL", "") in ("", EMBEDDED):
        OWN_DATABASE = database.new_directory()
        os.environ["DATABASE_URL"] = embedded_postgres.url(OWN_DATABASE / "postgres")


django.setup()
database.let_tests_empty_it(type(connections["default"].ops))
# Each client of Django's makes the middleware anew, and WhiteNoise would walk through all static files for each.
settings.WHITENOISE_AUTOREFRESH = True
# What is slow by design is Django's; a test whose server is another process takes the first one away again.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


LONGEST = ("slow", "crash")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process of the run waits in the end for the last test of another."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the database before xdist starts its workers."""
    if OWN_DATABASE is not None and not session.config.option.collectonly:
        database.sweep()
        embedded_postgres.ensure_running(OWN_DATABASE / "postgres", durable=False)


def pytest_unconfigure() -> None:
    """Remove the database, also after a Ctrl-C."""
    if OWN_DATABASE is not None:
        database.remove(OWN_DATABASE)


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[sandbox_client.Sandbox]:
    """The sandbox of this test worker, which its tests share one after the other."""
    with sandbox_client.running() as running:
        yield running


@pytest.fixture
def sandbox(
    sandbox_process: sandbox_client.Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> sandbox_client.Sandbox:
    """A sandbox that remembers nothing, as the provider of this test and of the processes it starts."""
    from payments.providers import registry  # noqa: PLC0415  # it needs the settings, which are not ready above
    from tests.support import providers  # noqa: PLC0415

    sandbox_process.reset()
    providers.configure(settings, api_base=sandbox_process.url)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_process.url)
    registry.get.cache_clear()  # one that was made before would call another address
    return sandbox_process


@pytest.fixture
def clock(sandbox: sandbox_client.Sandbox, transactional_db: None) -> Iterator[virtual_clock.Clock]:
    """A clock that the test sets forward, here and at the provider."""
    with virtual_clock.running(sandbox) as running:
        yield running

"""What is tried with Redis and PgBouncer needs them: without, it is left out, and the run begins by saying so."""

from collections.abc import Iterator

import pytest

from tests.support import pooling, services

NEEDED = {"test_redis.py": services.REDIS, "test_pooler.py": services.PGBOUNCER, "test_away.py": services.PGBOUNCER}

collect_ignore_glob = [name for name, program in NEEDED.items() if program is None]


def pytest_report_header() -> list[str]:
    """Say which programs are used, or that there is none."""
    return [
        f"{name}: {program or 'its program is not installed, so that it is left out'}"
        for name, program in NEEDED.items()
    ]


@pytest.fixture
def role_with_time_outs() -> Iterator[None]:
    """Our role with the time-outs that start-up options would bring."""
    pooling.set_time_outs()
    yield
    pooling.set_time_outs(are_set=False)

"""What is tried with Redis and PgBouncer needs them: without, it is left out, and the run begins by saying so."""

from tests import services

NEEDED = {"test_redis.py": services.REDIS}

collect_ignore_glob = [name for name, program in NEEDED.items() if program is None]


def pytest_report_header() -> list[str]:
    """Say which programs are used, or that there is none."""
    return [
        f"{name}: {program or 'its program is not installed, so that it is left out'}"
        for name, program in NEEDED.items()
    ]

"""What a process of many does: it has a database of its own, and runs seed after seed. Django is read only there."""

import gc
import os
from contextlib import ExitStack
from typing import Any

kept = ExitStack()


def begin() -> None:
    """Begin in a process of its own: on a database of its own, with the clock that stands still."""
    import django  # noqa: PLC0415  # after the environment is prepared

    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    from tests.simulation import clock  # noqa: PLC0415

    setup_test_environment()
    connection.settings_dict["TEST"]["NAME"] = f"simulation_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    kept.enter_context(clock.installed())  # for as long as the process lives
    gc.freeze()
    gc.set_threshold(50_000)  # a world is short


def run(seed: int) -> Any:
    """Run a seed."""
    from tests.simulation import simulating  # noqa: PLC0415

    return simulating.run(seed=seed)


def tell(seed: int) -> Any:
    """Run a seed, and tell its story however it ends."""
    from tests.simulation import simulating  # noqa: PLC0415

    return simulating.run(seed=seed, is_told=True)


def shrink(failed: Any) -> Any:
    """Make the story of a run that failed as short as it can be told."""
    from tests.simulation import simulating  # noqa: PLC0415

    return simulating.shrink(failed)

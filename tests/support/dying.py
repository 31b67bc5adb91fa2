"""Children that are killed at a boundary: before and after each COMMIT, and before and after each call of a provider.

The boundaries are found by running, not listed: the n-th run is killed at its n-th one, until a run comes to its end.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import stripe
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from payments.providers import registry

FAILED = 3


def run_and_die(run: Callable[[], object], *, at: int) -> bool:
    """Run in a child process and have it killed at its boundary number ``at``; False if it came to its end before."""
    connections.close_all()  # a socket must not be shared through a fork
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _live(run, at)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the child failed; its traceback is above"
    return False


def _live(run: Callable[[], object], at: int) -> None:
    """Be the child: never returns."""
    code = FAILED
    try:
        registry.get.cache_clear()  # its connections are the parent's
        _watch(at)
        run()
        code = 0
    except BaseException:  # noqa: BLE001  # whatever it is, it is shown, and a child must never return
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _watch(at: int) -> None:
    """Kill this process at its boundary number ``at``."""
    passed = 0

    def boundary() -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def between(call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            boundary()
            result = call(*args, **kwargs)
            boundary()
            return result

        return watched

    def alone(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        is_commit = not context["connection"].in_atomic_block and not sql.lstrip().startswith("SELECT")
        return (between(execute) if is_commit else execute)(sql, params, many, context)

    DatabaseWrapper._commit = between(DatabaseWrapper._commit)  # type: ignore[attr-defined]  # Django's own name
    connections["default"].execute_wrappers.append(alone)
    stripe.RequestsClient.request = between(stripe.RequestsClient.request)  # type: ignore[method-assign]

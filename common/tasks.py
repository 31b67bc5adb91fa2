"""Functions that the queue calls, with failures free of row data.

The queue keeps and shows their words.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from common import errors, logs

logger = logging.getLogger("holdfast.tasks")

P = ParamSpec("P")
T = TypeVar("T")


class TaskFailedError(errors.SpokenError):
    """A task failed; our words only, without a cause to show."""


def queued(work: Callable[P, T]) -> Callable[P, T]:
    """Hide row data from the queue when a function fails.

    The log says where it failed.

    Raises:
        TaskFailedError: It failed.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except TaskFailedError:
            raise
        except Exception as error:  # noqa: BLE001  # the queue would keep the words of any error
            logs.failure(logger, "A task failed.", error, task=work.__name__)
            told = errors.describe(error)
        raise TaskFailedError(told)  # outside, so that nothing hangs on it

    return run

"""What the queue calls by name: it keeps the words of a failure, and shows them to who may not see the row."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from common import errors, logs

logger = logging.getLogger("holdfast.tasks")

P = ParamSpec("P")
T = TypeVar("T")


class TaskFailedError(errors.SpokenError):
    """A task failed. It says why in words of ours, and has nothing behind it that would be shown too."""


def queued(work: Callable[P, T]) -> Callable[P, T]:
    """Have a function that the queue calls tell nothing of rows when it fails; the log says where.

    Raises:
        TaskFailedError: It failed.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except TaskFailedError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the queue would keep its words
            logs.failure(logger, "A task failed.", error, task=work.__name__)
            told = errors.describe(error)
        raise TaskFailedError(told)  # outside, so that nothing hangs on it

    return run

"""Faults of the machine itself: a process that dies around a COMMIT, a statement that comes upon somebody's lock."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import OperationalError
from psycopg import errors as pg

from tests.simulation.dice import Dice, Died

if TYPE_CHECKING:
    from tests.simulation.world import World

_KINDS = (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure)


def mortal_commit(dice: Dice, commit: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a COMMIT that a process can die before and after."""

    def watched(wrapper: Any) -> Any:
        try:
            dice.boundary("before COMMIT")
        except Died:
            wrapper.connection.rollback()  # as the server does for a connection that is gone
            raise
        result = commit(wrapper)
        dice.boundary("after COMMIT")
        return result

    return watched


class Contention:
    """Has a statement fail now and then as one does that came upon somebody else's lock."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        dice = self._world.dice
        is_writing = " FOR NO KEY UPDATE" in sql or sql.startswith("UPDATE")
        in_transaction = context["connection"].in_atomic_block and "virtual.clock" not in sql
        if is_writing and in_transaction and dice.is_mortal and dice.happens("contention"):
            kind = dice.choice(_KINDS)
            self._world.tell(f"the database refuses a statement: {kind.__name__}")
            raise OperationalError(kind.__name__) from kind()
        return execute(sql, params, many, context)

"""State machines as tables: a mapping from each status to the statuses that may follow it."""

from common.errors import ConflictError


class InvalidStateError(ConflictError):
    """The object is in a state that does not allow what was asked."""

    code = "invalid_state"

    def __init__(self, *, kind: str, status: str, wanted: str) -> None:
        super().__init__(f"A {kind} that is {status} cannot become {wanted}.")
        self.status = status
        self.wanted = wanted

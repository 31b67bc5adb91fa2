"""State machines as tables: a mapping from each status to the statuses that may follow it."""

from collections.abc import Mapping

from common.errors import ConflictError


class InvalidStateError(ConflictError):
    """The object is in a state that does not allow what was asked."""

    code = "invalid_state"

    def __init__(self, *, kind: str, status: str, wanted: str) -> None:
        super().__init__(f"A {kind} that is {status} cannot become {wanted}.")
        self.status = status
        self.wanted = wanted


def check(transitions: Mapping[str, frozenset[str]], *, kind: str, status: str, wanted: str) -> None:
    """Check that a table lets one status follow another.

    Raises:
        InvalidStateError: It does not.
    """
    if wanted not in transitions[status]:
        raise InvalidStateError(kind=kind, status=status, wanted=wanted)

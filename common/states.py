"""State machines as tables: each status maps to its next statuses."""

from collections.abc import Mapping

from common.errors import ConflictError


class InvalidStateError(ConflictError):
    """The object's status does not allow the request."""

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

"""What can be wrong with an Idempotency-Key."""

from http import HTTPStatus
from math import ceil

from common.errors import ConflictError, HoldfastError


class KeyMissingError(HoldfastError):
    """The request changes something and has no key."""

    code = "idempotency_key_missing"

    def __init__(self) -> None:
        super().__init__("This request needs an Idempotency-Key header; a new UUID for each operation is best.")


class KeyInvalidError(HoldfastError):
    """The key is not 1 to 255 visible ASCII characters."""

    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key must have 1 to 255 visible ASCII characters.")


class KeyInUseError(ConflictError):
    """The first request with this key is still running."""

    code = "idempotency_key_in_use"

    def __init__(self, *, seconds: float = 1) -> None:
        super().__init__("The first request with this Idempotency-Key is still running.")
        self.retry_after = max(ceil(seconds), 1)


class KeyReusedError(HoldfastError):
    """The key was first used for something else."""

    type = "validation_error"
    code = "idempotency_key_reused"
    http_status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was first used with another method, path or body.")

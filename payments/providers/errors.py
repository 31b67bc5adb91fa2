"""Why a call to a provider failed, and what it means."""

from common.errors import HoldfastError, SpokenError
from payments.outcome_types import Failure, ProviderPayment


class ProviderError(SpokenError):
    """A call did not bring an object."""

    def __init__(self, message: str, *, request_id: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id


class OutcomeUnknownError(ProviderError):
    """No answer, a 409, or a 5xx: it may have happened.

    The same key is to be sent again.

    ``answer_saved``: the provider keeps this answer under the key and repeats it for ever; its object must be read.
    """

    def __init__(self, message: str, *, answer_saved: bool = False, request_id: str = "") -> None:
        super().__init__(message, request_id=request_id)
        self.answer_saved = answer_saved


class NotSentError(ProviderError):
    """The provider did not take the request: nothing happened there.

    ``retry_after`` is in seconds, where it will take it later (rate limit): that costs the command no attempt. None
    where it may never (our key is refused): a person has to be told in the end.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, request_id: str = "") -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after


class UnsupportedError(NotSentError):
    """The provider cannot do this.

    That it was asked is for a person to see.
    """

    def __init__(self, *, provider: str, what: str) -> None:
        super().__init__(f"{provider} cannot {what}")


class MissingError(ProviderError):
    """Our key sees no such object.

    It may be of another account or mode; nothing is said of what became of it.
    """


class RefusedError(ProviderError):
    """The provider will not do it. What that means, its object says.

    ``payment`` is the object after it, where the answer carried one; ``field`` is the field of ours that is refused,
    where one is: ``amount``, ``currency`` or ``payment_method``.
    """

    def __init__(
        self, *, failure: Failure, payment: ProviderPayment | None = None, request_id: str = "", field: str = ""
    ) -> None:
        super().__init__(f"{failure.code}: {failure.message}", request_id=request_id)
        self.failure = failure
        self.payment = payment
        self.field = field


class DeclinedError(RefusedError):
    """The customer's bank or the provider's risk check declined the card."""


class HoldEndedError(RefusedError):
    """The bank holds the money no longer, whatever the object still says."""


class UnreadableError(ProviderError):
    """What the provider sent is not in its documented form.

    The message names fields, and tells nothing of their values.
    """


class KeyUsedError(ProviderError):
    """The provider has seen this idempotency key with other parameters."""


class InvalidSignatureError(HoldfastError):
    """A notification is not authentic: no, wrong, malformed or stale signature."""

    code = "invalid_signature"

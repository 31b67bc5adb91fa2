"""Why a reservation cannot be made or changed."""

from datetime import datetime

from common import currencies
from common.errors import ConflictError
from tenants import clocks


class ActivityUnavailableError(ConflictError):
    """Somebody else has the exclusive activity for some of that day."""

    code = "resource_unavailable"

    def __init__(self) -> None:
        super().__init__("This activity is already booked for that day, or for a part of it.", param="resource_id")


class HoldExpiredError(ConflictError):
    """The hold's time is over; its places are free again."""

    code = "hold_expired"

    def __init__(self) -> None:
        super().__init__("This hold has expired. Make a new reservation.")


class NothingDueError(ConflictError):
    """Nothing is to be paid now."""

    code = "nothing_due"

    def __init__(self) -> None:
        super().__init__("Nothing is to be paid for this reservation now.")


class QuoteChangedError(ConflictError):
    """It comes to another refund than was expected."""

    code = "quote_changed"

    def __init__(self, *, refund: int, currency: str) -> None:
        super().__init__(f"The refund is {currencies.shown(refund, currency)} by now.", param="expected_refund")
        self.refund = refund


class DifferenceChangedError(ConflictError):
    """A change comes to another difference than was expected."""

    code = "quote_changed"

    def __init__(self, *, difference: int, currency: str) -> None:
        message = f"The difference is {currencies.shown(difference, currency)} by now."
        super().__init__(message, param="expected_difference")


class ChangeInProgressError(ConflictError):
    """Another change of the reservation is open."""

    code = "change_in_progress"

    def __init__(self) -> None:
        super().__init__("A change of this reservation is open. Pay it, or give it up.")


class BeingRefundedError(ConflictError):
    """All its money is on the way back."""

    code = "being_refunded"

    def __init__(self) -> None:
        super().__init__("This reservation is being refunded. Nothing more can be sold on it.")


class OwnReceiptError(ConflictError):
    """Another person has to approve a receipt than took it."""

    code = "own_receipt"

    def __init__(self) -> None:
        super().__init__("Another person has to approve this receipt.")


class PaymentInProgressError(ConflictError):
    """Another attempt to pay lives, or its outcome is unknown."""

    code = "payment_in_progress"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("Another payment for this reservation is in progress. Finish it, or replace it.")


class TooManyHoldsError(ConflictError):
    """The caller has as many holds as one may."""

    code = "too_many_holds"
    retry_after = 30

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"At most {limit} reservations can wait for payment at one time.")


class TooManyPlacesError(ConflictError):
    """The caller would hold more places unpaid than one may."""

    code = "too_many_places"
    retry_after = 30

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"At most {limit} unpaid places can be held at one time.", param="units")


class HoldCeilingError(ConflictError):
    """A hold may not live so long."""

    code = "hold_ceiling"

    def __init__(self, *, latest: datetime, zone: str) -> None:
        super().__init__(f"This hold can last until {clocks.when(latest, zone)} at the latest.")

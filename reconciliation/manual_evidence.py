"""Money without an event: a person accepts the provider's object as evidence."""

from uuid import UUID

from common import database
from common.errors import ConflictError, NotFoundError, UnavailableError
from payments.models import Payment
from payments.outcome_types import Outcome, ProviderPayment
from payments.providers import registry
from payments.providers.errors import ProviderError
from webhooks import inbox, proofs, routing
from webhooks.models import EventSource


class NotCapturedError(ConflictError):
    """The provider has not captured the money: nothing to vouch for."""

    code = "not_captured"

    def __init__(self, *, status: str) -> None:
        super().__init__(f"The payment is {status} at the provider: there is no money to vouch for.")


def attest(*, payment_id: UUID, by: str, because: str) -> inbox.Receipt:
    """Read a payment now and handle it, on a person's word.

    Same door, no other.

    Kept in the inbox with their name and reason. Must be called outside a transaction.

    Raises:
        NotFoundError: There is no such payment, or the provider never had it.
        NotCapturedError: The provider has taken no money.
        UnavailableError: The provider cannot be asked.
    """
    payment = Payment.objects.filter(pk=payment_id).exclude(provider_ref="").first()
    if payment is None:
        raise NotFoundError(kind="payment")
    database.leave_database()
    provider = registry.get(payment.provider)
    try:
        found = provider.attest(ref=payment.provider_ref, account=payment.provider_account)
        reading = routing.read(provider=payment.provider, notification=found)
    except ProviderError as error:
        raise UnavailableError(f"The provider cannot be asked: {error}") from error
    status = next((told.outcome for told in reading if isinstance(told, ProviderPayment)), Outcome.UNKNOWN)
    if status is not Outcome.CAPTURED:
        raise NotCapturedError(status=status)
    proof = proofs.of_reading(provider=payment.provider, notification=found, account=found.account)
    attested = inbox.Attestation(by=by, because=because)
    receipt = inbox.ingest(found, EventSource.ATTESTED, provider=payment.provider, proof=proof, attested=attested)
    inbox.retry_due()  # a refund may have waited for this money
    return receipt

"""The end of a payment intent: held money captured, let go on request, or let go by the bank in time."""

from tools.sandbox.form import Params
from tools.sandbox.stripe import charges, events, money, params
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import CaptureTooLarge, InvalidRequest, UnexpectedState
from tools.sandbox.stripe.objects import StripeObject
from tools.sandbox.words import words

CAPTURE_PARAMS = frozenset(
    words(
        "amount_details amount_to_capture application_fee_amount expand final_capture metadata payment_details "
        "statement_descriptor statement_descriptor_suffix transfer_data"
    )
)
CANCEL_PARAMS = frozenset({"cancellation_reason", "expand"})
CANCELLATION_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


def capture(account: Account, intent_id: str, given: Params) -> StripeObject:
    """Take money that was held, all of it unless an amount is given; the rest is let go.

    Raises: UnexpectedState, CaptureTooLarge. A hold that has run out expires first.
    """
    params.check_known(given, CAPTURE_PARAMS)
    if params.find_boolean(given, "final_capture") is False:
        raise InvalidRequest("This PaymentIntent does not support multiple captures.", param="final_capture")
    intent = account.get_payment_intent(intent_id)
    amount = params.find_integer(given, "amount_to_capture")
    metadata = params.merged_metadata(given, intent["metadata"])
    if _has_run_out(account, intent):
        expire(account, intent_id)
    _check_capturable(intent)
    capturable = intent["amount_capturable"]
    if amount is not None and amount > capturable:
        currency = intent["currency"]
        raise CaptureTooLarge(
            f"The amount to capture ({money.written(amount, currency)}) is greater than the remaining capturable "
            f"amount ({money.written(capturable, currency)}).",
            param="amount_to_capture",
            payment_intent=intent,
        )
    taken = amount or capturable
    charges.capture(account, account.charges[intent["latest_charge"]], taken)
    intent.update(status="succeeded", amount_capturable=0, amount_received=taken, metadata=metadata)
    events.emit(account, "payment_intent.succeeded", intent)
    return intent


def cancel(account: Account, intent_id: str, given: Params) -> StripeObject:
    """Cancel a payment intent that has not succeeded, letting held money go. Raises: UnexpectedState."""
    params.check_known(given, CANCEL_PARAMS)
    reason = params.find_choice(given, "cancellation_reason", CANCELLATION_REASONS)
    intent = account.get_payment_intent(intent_id)
    if intent["status"] not in CANCELABLE:
        raise UnexpectedState(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
            payment_intent=intent,
        )
    if intent["status"] == "requires_capture":
        charge = account.charges[intent["latest_charge"]]
        refund_reason = reason if reason != "abandoned" else None
        charges.release(account, charge, charge["amount"], reason=refund_reason)
        events.emit(account, "charge.refunded", charge)
    _end(account, intent, reason)
    return intent


def expire(account: Account, intent_id: str) -> StripeObject:
    """Have the bank let a hold go because its time is over. Raises: UnexpectedState when nothing is held."""
    intent = account.get_payment_intent(intent_id)
    if intent["status"] != "requires_capture":
        raise UnexpectedState(
            f"PaymentIntent {intent_id} holds no money: it has a status of {intent['status']}.",
            payment_intent=intent,
        )
    charge = account.charges[intent["latest_charge"]]
    charges.release(account, charge, charge["amount"], reason="expired_uncaptured_charge")
    events.emit(account, "charge.expired", charge)
    _end(account, intent, "automatic")
    return intent


def _end(account: Account, intent: StripeObject, reason: str | None) -> None:
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=account.timestamp(),
        cancellation_reason=reason,
        next_action=None,
    )
    events.emit(account, "payment_intent.canceled", intent)


def _has_run_out(account: Account, intent: StripeObject) -> bool:
    if intent["status"] != "requires_capture":
        return False
    card = account.charges[intent["latest_charge"]]["payment_method_details"]["card"]
    return bool(account.timestamp() > card["capture_before"])


def _check_capturable(intent: StripeObject) -> None:
    if intent["status"] == "requires_capture":
        return
    why = (
        "it has already been captured."
        if intent["status"] == "succeeded"
        else f"it has a status of {intent['status']}. Only a PaymentIntent with one of the following statuses may be "
        "captured: requires_capture."
    )
    raise UnexpectedState(f"This PaymentIntent could not be captured because {why}", payment_intent=intent)

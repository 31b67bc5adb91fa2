"""Refunds: captured money given back, and the few that fail later at the bank."""

from tools.sandbox.form import Params
from tools.sandbox.stripe import balance, charges, events, lists, money, objects, params
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import ChargeAlreadyRefunded, InvalidRequest, ParameterMissing, RefusedInState
from tools.sandbox.stripe.objects import StripeObject
from tools.sandbox.words import words

CREATE_PARAMS = frozenset(
    words(
        "amount charge currency customer expand instructions_email metadata origin payment_intent reason "
        "refund_application_fee reverse_transfer"
    )
)
UPDATE_PARAMS = frozenset({"expand", "metadata"})
LIST_PARAMS = frozenset({*lists.PARAMS, "charge", "created", "payment_intent"})
REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(account: Account, given: Params) -> StripeObject:
    """Refund captured money, all that is left of it unless an amount is given.

    Raises: ChargeAlreadyRefunded; RefusedInState when nothing was captured or less is left.
    """
    params.check_known(given, CREATE_PARAMS)
    amount = params.find_integer(given, "amount")
    reason = params.find_choice(given, "reason", REASONS)
    metadata = params.merged_metadata(given, {})
    charge = _charge_of(account, given)
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or (not charge["captured"] and charge["amount_refunded"] == 0):
        raise RefusedInState(f"Charge {charge['id']} has not been captured. Only captured money can be refunded.")
    if left == 0:
        raise ChargeAlreadyRefunded(charge["id"])
    if amount is not None and amount > left:
        currency = charge["currency"]
        raise RefusedInState(
            f"Refund amount ({money.written(amount, currency)}) is greater than unrefunded amount on charge "
            f"({money.written(left, currency)})",
            param="amount",
        )
    refund = objects.new_refund(account.ids.new("re_"), account.timestamp(), charge, amount or left, reason)
    refund["metadata"] = metadata
    refund["balance_transaction"] = balance.record_refund(account, refund)["id"]
    account.refunds[refund["id"]] = refund
    charges.note_refund(charge, refund)
    events.emit(account, "refund.created", refund)
    events.emit(account, "charge.refunded", charge)
    return refund


def update(account: Account, refund_id: str, given: Params) -> StripeObject:
    """Change a refund's metadata."""
    params.check_known(given, UPDATE_PARAMS)
    refund = account.get_refund(refund_id)
    refund["metadata"] = params.merged_metadata(given, refund["metadata"])
    _emit_update(account, refund)
    return refund


def retrieve(account: Account, refund_id: str) -> StripeObject:
    """Return one refund. Raises: ResourceMissing."""
    return account.get_refund(refund_id)


def list_refunds(account: Account, given: Params) -> StripeObject:
    """Return a page of refunds, the newest first."""
    params.check_known(given, LIST_PARAMS)
    return lists.page_of_objects(
        account.refunds,
        given,
        matches=lists.field_filter(given, "charge", "payment_intent"),
        kind="refund",
        url="/v1/refunds",
    )


def fail(account: Account, refund_id: str) -> StripeObject:
    """Have the bank send the money of a refund back.

    Raises: RefusedInState when the refund returned no money or has failed already.
    """
    refund = account.get_refund(refund_id)
    if refund["status"] != "succeeded" or refund["balance_transaction"] is None:
        raise RefusedInState(f"Refund {refund_id} did not return any money, so it cannot fail at the bank.")
    refund["status"] = "failed"
    refund["failure_reason"] = "expired_or_canceled_card"
    refund["failure_balance_transaction"] = balance.record_refund_failure(account, refund)["id"]
    charges.note_refund_failure(account.charges[refund["charge"]], refund)
    events.emit(account, "refund.failed", refund)
    _emit_update(account, refund)
    return refund


def _emit_update(account: Account, refund: StripeObject) -> None:
    events.emit(account, "refund.updated", refund)
    events.emit(account, "charge.refund.updated", refund)


def _charge_of(account: Account, given: Params) -> StripeObject:
    charge_id = params.find_string(given, "charge")
    intent_id = params.find_string(given, "payment_intent")
    if charge_id is not None and intent_id is not None:
        raise InvalidRequest("You may only specify one of these parameters: charge, payment_intent.")
    if charge_id is not None:
        return account.get_charge(charge_id)
    if intent_id is None:
        raise ParameterMissing("payment_intent")
    intent = account.get_payment_intent(intent_id, param="payment_intent")
    if intent["latest_charge"] is None:
        raise RefusedInState(f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.")
    return account.charges[intent["latest_charge"]]

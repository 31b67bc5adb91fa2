"""Charges: one attempt at the bank each, which may hold money, take it, let it go, or be declined."""

from tools.sandbox.form import Params
from tools.sandbox.stripe import balance, events, lists, objects, params
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.objects import StripeObject
from tools.sandbox.stripe.payment_methods import Decline

LIST_PARAMS = frozenset({*lists.PARAMS, "created", "customer", "payment_intent", "transfer_group"})
HOLD_SECONDS = 7 * 24 * 3600


def retrieve(account: Account, charge_id: str) -> StripeObject:
    """Return one charge. Raises: ResourceMissing."""
    return account.get_charge(charge_id)


def list_charges(account: Account, given: Params) -> StripeObject:
    """Return a page of charges, the newest first."""
    params.check_known(given, LIST_PARAMS)
    return lists.page_of_objects(
        account.charges,
        given,
        matches=lists.field_filter(given, "customer", "payment_intent", "transfer_group"),
        kind="charge",
        url="/v1/charges",
    )


def hold(account: Account, intent: StripeObject, method: StripeObject, *, authenticated: bool) -> StripeObject:
    """Have the bank set the whole amount aside for seven days."""
    charge = _approved(account, intent, method, authenticated=authenticated)
    card = charge["payment_method_details"]["card"]
    card["capture_before"] = charge["created"] + HOLD_SECONDS
    events.emit(account, "charge.succeeded", charge)
    return charge


def take(account: Account, intent: StripeObject, method: StripeObject, *, authenticated: bool) -> StripeObject:
    """Have the bank pay the whole amount at once."""
    charge = _approved(account, intent, method, authenticated=authenticated)
    _mark_captured(account, charge, charge["amount"])
    events.emit(account, "charge.succeeded", charge)
    return charge


def decline(account: Account, intent: StripeObject, method: StripeObject, reason: Decline) -> StripeObject:
    """Have the bank refuse."""
    charge = objects.new_charge(account.ids.new("ch_"), account.timestamp(), intent, method)
    charge.update(
        status="failed",
        failure_code=reason.code,
        failure_message=reason.message,
        outcome=objects.outcome(
            approved=False,
            reason=reason.decline_code,
            message="The bank did not return any further details with this decline.",
        ),
    )
    account.charges[charge["id"]] = charge
    events.emit(account, "charge.failed", charge)
    return charge


def capture(account: Account, charge: StripeObject, amount: int) -> None:
    """Take `amount` of the money held; the bank lets the rest go."""
    _mark_captured(account, charge, amount)
    if amount < charge["amount"]:
        release(account, charge, charge["amount"] - amount, reason=None)
    events.emit(account, "charge.captured", charge)


def release(account: Account, charge: StripeObject, amount: int, *, reason: str | None) -> StripeObject:
    """Let `amount` of the held money go.

    Stripe shows this as a refund without a balance transaction: no money is returned, as none was taken.
    """
    refund = objects.new_refund(account.ids.new("re_"), account.timestamp(), charge, amount, reason)
    refund["destination_details"]["card"]["type"] = "reversal"
    account.refunds[refund["id"]] = refund
    note_refund(charge, refund)
    return refund


def note_refund(charge: StripeObject, refund: StripeObject) -> None:
    """Add a refund to its charge."""
    charge["refunds"]["data"].insert(0, refund)
    charge["refunds"]["total_count"] += 1
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def note_refund_failure(charge: StripeObject, refund: StripeObject) -> None:
    """Count a refund that failed no longer."""
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False


def _approved(account: Account, intent: StripeObject, method: StripeObject, *, authenticated: bool) -> StripeObject:
    charge = objects.new_charge(account.ids.new("ch_"), account.timestamp(), intent, method)
    charge.update(
        status="succeeded",
        paid=True,
        outcome=objects.outcome(approved=True, reason=None, message="Payment complete."),
        receipt_url=f"https://pay.stripe.com/receipts/payment/{charge['id']}",
    )
    card = charge["payment_method_details"]["card"]
    card["amount_authorized"] = charge["amount"]
    card["authorization_code"] = "123456"
    if authenticated:
        card["three_d_secure"] = {
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": None,
            "result": "authenticated",
            "result_reason": None,
            "transaction_id": account.ids.new("3ds_"),
            "version": "2.2.0",
        }
    account.charges[charge["id"]] = charge
    return charge


def _mark_captured(account: Account, charge: StripeObject, amount: int) -> None:
    charge["captured"] = True
    charge["amount_captured"] = amount
    charge["balance_transaction"] = balance.record_capture(account, charge)["id"]

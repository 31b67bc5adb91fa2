"""Disputes: the customer's bank takes money back, and decides in the end who gets it. The control opens them."""

from tools.sandbox.stripe import balance, events
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import RefusedInState
from tools.sandbox.stripe.objects import StripeObject
from tools.sandbox.words import words

ANSWER_WITHIN_SECONDS = 7 * 24 * 3600
ENDS = ("won", "lost")

_EVIDENCE = words(
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
    "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
    "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt "
    "refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation "
    "shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number "
    "uncategorized_file uncategorized_text"
)


def begin(account: Account, intent_id: str) -> StripeObject:
    """Have the customer's bank dispute the captured money of a payment intent: it is taken from the balance at once.

    Raises: RefusedInState when nothing was captured or it is disputed already.
    """
    intent = account.get_payment_intent(intent_id)
    charge = account.charges.get(str(intent["latest_charge"]))
    if charge is None or not charge["amount_captured"] or charge["disputed"]:
        raise RefusedInState(f"PaymentIntent {intent_id} has no captured charge that could be disputed.")
    dispute = _new(account, charge)
    dispute["balance_transactions"] = [balance.record_dispute(account, dispute, taken=True)]
    account.disputes[dispute["id"]] = dispute
    charge["disputed"] = True
    events.emit(account, "charge.dispute.created", dispute)
    events.emit(account, "charge.dispute.funds_withdrawn", dispute)
    events.emit(account, "charge.updated", charge)
    return dispute


def close(account: Account, dispute_id: str, *, result: str) -> StripeObject:
    """Have the bank decide; money that is won comes back to the balance.

    Raises: ResourceMissing; RefusedInState when it has decided already.
    """
    dispute = account.get_dispute(dispute_id)
    if dispute["status"] in ENDS:
        raise RefusedInState(f"Dispute {dispute_id} is {dispute['status']} already.")
    dispute["status"] = result
    events.emit(account, "charge.dispute.closed", dispute)
    if result == "won":
        dispute["balance_transactions"].append(balance.record_dispute(account, dispute, taken=False))
        events.emit(account, "charge.dispute.funds_reinstated", dispute)
    return dispute


def _new(account: Account, charge: StripeObject) -> StripeObject:
    created = account.timestamp()
    brand = charge["payment_method_details"]["card"]["brand"]
    card = {"brand": brand, "case_type": "chargeback", "network": brand, "network_reason_code": "10.4"}
    return {
        "id": account.ids.new("dp_"),
        "object": "dispute",
        "amount": charge["amount_captured"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": created + ANSWER_WITHIN_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": card, "type": "card"},
        "reason": "fraudulent",
        "status": "needs_response",
    }

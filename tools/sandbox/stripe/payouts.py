"""Payouts: money that leaves the account's balance for the operator's bank. The control makes them.

See https://docs.stripe.com/payouts/reconciliation.
"""

from tools.sandbox.form import Params
from tools.sandbox.stripe import balance, events, lists, params
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import RefusedInState
from tools.sandbox.stripe.objects import StripeObject

LIST_PARAMS = frozenset({*lists.PARAMS, "arrival_date", "created", "destination", "status"})


def make(account: Account) -> StripeObject:
    """Pay out, at once and in one currency, all that no payout has taken yet.

    Raises: RefusedInState when that is nothing, or less than nothing.
    """
    waiting = balance.waiting(account)
    amount = sum(transaction["net"] for transaction in waiting)
    if amount <= 0:
        raise RefusedInState("There is nothing in the balance to be paid out.")
    payout = _new(account, amount=amount, currency=waiting[0]["currency"])
    own = balance.record_payout(account, payout)
    payout["balance_transaction"] = own["id"]
    account.payouts[payout["id"]] = payout
    for transaction in (*waiting, own):
        transaction["status"] = "available"
        account.payout_of[transaction["id"]] = payout["id"]
    for kind in ("payout.created", "payout.paid", "payout.reconciliation_completed"):
        events.emit(account, kind, payout)
    return payout


def retrieve(account: Account, payout_id: str) -> StripeObject:
    """Return one payout. Raises: ResourceMissing."""
    return account.get_payout(payout_id)


def list_payouts(account: Account, given: Params) -> StripeObject:
    """Return a page of payouts, the newest first."""
    params.check_known(given, LIST_PARAMS)
    arrives = lists.time_filter(given, "arrival_date")
    fields = lists.field_filter(given, "status", "destination")
    return lists.page_of_objects(
        account.payouts, given, matches=lambda row: arrives(row) and fields(row), kind="payout", url="/v1/payouts"
    )


def _new(account: Account, *, amount: int, currency: str) -> StripeObject:
    now = account.timestamp()
    return {
        "id": account.ids.new("po_"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": now,
        "automatic": True,
        "balance_transaction": None,
        "created": now,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_sandbox",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid",
        "trace_id": None,
        "type": "bank_account",
    }

"""Balance transactions: what each charge, refund, dispute and payout did to the account's balance."""

from tools.sandbox.form import Params
from tools.sandbox.stripe import lists, money, params
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.objects import StripeObject

LIST_PARAMS = frozenset({*lists.PARAMS, "created", "currency", "payout", "source", "type"})
AVAILABLE_AFTER_SECONDS = 2 * 24 * 3600


def record_capture(account: Account, charge: StripeObject) -> StripeObject:
    """Add captured money to the balance, less Stripe's fee."""
    amount = charge["amount_captured"]
    return _record(account, charge, kind="charge", amount=amount, fee=money.fee_of(amount))


def record_refund(account: Account, refund: StripeObject) -> StripeObject:
    """Take refunded money from the balance; Stripe keeps its fee."""
    return _record(account, refund, kind="refund", amount=-refund["amount"], fee=0)


def record_refund_failure(account: Account, refund: StripeObject) -> StripeObject:
    """Put the money of a refund that failed back into the balance."""
    return _record(account, refund, kind="refund_failure", amount=refund["amount"], fee=0)


def record_dispute(account: Account, dispute: StripeObject, *, taken: bool) -> StripeObject:
    """Take disputed money from the balance, with the fee for it, or put it back."""
    if taken:
        return _record(account, dispute, kind="dispute", amount=-dispute["amount"], fee=money.DISPUTE_FEE)
    return _record(account, dispute, kind="dispute_reversal", amount=dispute["amount"], fee=0)


def record_payout(account: Account, payout: StripeObject) -> StripeObject:
    """Take the money of a payout from the balance."""
    return _record(account, payout, kind="payout", amount=-payout["amount"], fee=0)


def waiting(account: Account) -> list[StripeObject]:
    """Return what no payout has taken yet, oldest first, in the currency of the oldest."""
    rows = [row for row in account.balance_transactions.values() if row["id"] not in account.payout_of]
    return [row for row in rows if row["currency"] == rows[0]["currency"]]


def retrieve(account: Account, transaction_id: str) -> StripeObject:
    """Return one balance transaction. Raises: ResourceMissing."""
    return account.get_balance_transaction(transaction_id)


def list_balance_transactions(account: Account, given: Params) -> StripeObject:
    """Return a page of balance transactions, the newest first."""
    params.check_known(given, LIST_PARAMS)
    payout = params.find_string(given, "payout")
    fields = lists.field_filter(given, "currency", "source", "type")
    return lists.page_of_objects(
        account.balance_transactions,
        given,
        matches=lambda row: fields(row) and (payout is None or account.payout_of.get(row["id"]) == payout),
        kind="balance_transaction",
        url="/v1/balance_transactions",
    )


def _record(account: Account, source: StripeObject, *, kind: str, amount: int, fee: int) -> StripeObject:
    created = account.timestamp()
    details = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    transaction = {
        "id": account.ids.new("txn_"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + AVAILABLE_AFTER_SECONDS,
        "balance_type": "payments",
        "created": created,
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    account.balance_transactions[transaction["id"]] = transaction
    return transaction

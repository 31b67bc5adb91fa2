"""The sandbox's own endpoints below /_sandbox: faults, webhooks, what customers and banks do, and a look inside."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tools.sandbox.clock import ShiftedClock
from tools.sandbox.delivery import MODES, Deliveries
from tools.sandbox.faults import InvalidFault
from tools.sandbox.messages import Answer, Request, json_body
from tools.sandbox.service import Sandbox
from tools.sandbox.stripe import capturing, confirming, disputes, payouts, refunds
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import StripeError
from tools.sandbox.stripe.objects import EventRecord, StripeObject
from tools.sandbox.words import words

PREFIX = "/_sandbox/"
INTENT_FIELDS = words(
    "id status amount currency capture_method amount_capturable amount_received metadata latest_charge payment_method "
    "created canceled_at cancellation_reason"
)
REFUND_FIELDS = words("id status amount currency charge payment_intent reason balance_transaction metadata created")

Act = Callable[[Account, str], StripeObject]


class Refused(Exception):
    """A control request that makes no sense; the message says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Answers control requests. They need no API key: all that reach the sandbox may use them."""

    def __init__(self, sandbox: Sandbox, deliveries: Deliveries, clock: ShiftedClock) -> None:
        self._sandbox = sandbox
        self._deliveries = deliveries
        self._clock = clock
        self._actions: dict[str, Callable[[str, Any], Any]] = {
            "GET health": lambda _, __: {"status": "ok"},
            "GET state": lambda _, __: self._state(),
            "GET calls": lambda _, __: {"attempts": sandbox.state.calls.attempts},
            "GET faults": lambda _, __: {"faults": sandbox.faults.as_rows()},
            "POST faults": lambda _, body: sandbox.faults.add(body).as_row(),
            "DELETE faults": lambda _, __: self._clear_faults(),
            "GET webhooks": lambda _, __: deliveries.described(),
            "POST webhooks": lambda _, body: self._configure_webhooks(body),
            "POST webhooks flush": lambda _, __: asdict(deliveries.flush()),
            "POST webhooks redeliver": lambda _, body: self._redeliver(body),
            "POST reset": lambda _, __: self._reset(),
            "POST clock": lambda _, body: self._advance(body),
            "POST payouts": lambda _, body: self._pay_out(body),
            "POST payment_intents * authenticate": self._authenticate,
            "POST payment_intents * pay": self._pay,
            "POST payment_intents * expire": lambda intent_id, _: self._act(intent_id, capturing.expire),
            "POST payment_intents * dispute": lambda intent_id, _: self._act(intent_id, disputes.begin),
            "POST disputes * close": self._close_dispute,
            "POST refunds * fail": lambda refund_id, _: self._act(refund_id, refunds.fail),
        }

    def answer(self, request: Request) -> Answer:
        """Answer one control request."""
        segments = request.path.removeprefix(PREFIX).strip("/").split("/")
        object_id = segments[1] if len(segments) == 3 else ""
        shape = [segments[0], "*", segments[2]] if object_id else segments
        action = self._actions.get(f"{request.method} {' '.join(shape)}")
        try:
            if action is None:
                raise Refused(f"There is no {request.method} {request.path} in the sandbox.", status=404)
            return Answer(200, json_body(action(object_id, _parse(request.body))))
        except StripeError as error:
            return Answer(error.http_status, json_body(error.body()))
        except InvalidFault as error:
            return Answer(400, json_body({"error": {"message": str(error)}}))
        except Refused as error:
            return Answer(error.status, json_body({"error": {"message": str(error)}}))

    def _authenticate(self, intent_id: str, body: Any) -> StripeObject:
        result = body.get("result") if isinstance(body, dict) else None
        if result not in ("success", "failure"):
            raise Refused('The body must be {"result": "success"} or {"result": "failure"}.')
        return self._act(intent_id, lambda account, found: confirming.authenticate(account, found, result=result))

    def _pay(self, intent_id: str, body: Any) -> StripeObject:
        method = body.get("payment_method", "pm_card_visa") if isinstance(body, dict) else None
        if not isinstance(method, str):
            raise Refused('The body must be {"payment_method": "pm_card_visa"} or another test name.')
        return self._act(intent_id, lambda account, found: confirming.pay(account, found, payment_method=method))

    def _close_dispute(self, dispute_id: str, body: Any) -> StripeObject:
        result = body.get("result") if isinstance(body, dict) else None
        if result not in disputes.ENDS:
            raise Refused('The body must be {"result": "won"} or {"result": "lost"}.')
        return self._act(dispute_id, lambda account, found: disputes.close(account, found, result=result))

    def _pay_out(self, body: Any) -> StripeObject:
        account_id = body.get("account") if isinstance(body, dict) else None
        with self._sandbox.lock:
            payout: StripeObject = json.loads(json.dumps(payouts.make(self._sandbox.account(account_id))))
        return payout

    def _advance(self, body: Any) -> dict[str, float]:
        seconds = body.get("advance_seconds") if isinstance(body, dict) else None
        if not isinstance(seconds, int | float) or seconds < 0:
            raise Refused('The body must be {"advance_seconds": 3600} or another number of at least 0.')
        self._clock.advance(seconds)
        return {"now": self._clock.now()}

    def _act(self, object_id: str, act: Act) -> StripeObject:
        """Do something to an object, whichever account it is in, and return a copy of the object."""
        with self._sandbox.lock:
            accounts = self._sandbox.state.accounts.values()
            account = next((account for account in accounts if account.find_object(object_id)), None)
            if account is None:
                account = self._sandbox.account(None)
            copy: StripeObject = json.loads(json.dumps(act(account, object_id)))
            return copy

    def _configure_webhooks(self, body: Any) -> dict[str, object]:
        if not isinstance(body, dict) or set(body) - {"mode", "url", "secret"} or not body:
            raise Refused("The body must be a JSON object with mode, and optionally url and secret.")
        mode = body.get("mode")
        if mode is not None and mode not in MODES:
            raise Refused(f"mode must be one of {', '.join(MODES)}.")
        for name in ("url", "secret"):
            if not isinstance(body.get(name, ""), str):
                raise Refused(f"{name} must be a text.")
        if not body.get("url", "http://").startswith(("http://", "https://")):
            raise Refused("url must begin with http:// or https://.")
        self._deliveries.configure(mode=mode, url=body.get("url"), secret=body.get("secret"))
        return self._deliveries.described()

    def _redeliver(self, body: Any) -> dict[str, Any]:
        event_id = body.get("event_id") if isinstance(body, dict) else None
        record = self._find_event(event_id)
        if record is None:
            raise Refused(f"There is no event {event_id}.", status=404)
        attempt = self._deliveries.redeliver(record)
        if attempt is None:
            raise Refused("There is no webhook endpoint to deliver to.")
        return {"event_id": record.id, "status": attempt.status, "error": attempt.error, "ms": attempt.ms}

    def _find_event(self, event_id: Any) -> EventRecord | None:
        with self._sandbox.lock:
            accounts = self._sandbox.state.accounts.values()
            return next((found for account in accounts if (found := account.events.get(event_id))), None)

    def _clear_faults(self) -> dict[str, Any]:
        self._sandbox.faults.clear()
        return {"faults": []}

    def _reset(self) -> dict[str, str]:
        self._clock.reset()
        self._sandbox.reset()
        self._deliveries.reset()
        return {"status": "reset"}

    def _state(self) -> dict[str, Any]:
        with self._sandbox.lock:
            accounts = list(self._sandbox.state.accounts.values())
            intents = [row for account in accounts for row in _intent_rows(account)]
            refunded = [_row(account, row, REFUND_FIELDS) for account in accounts for row in account.refunds.values()]
            state = {
                "payment_intents": intents,
                "refunds": refunded,
                "calls": self._sandbox.state.calls.as_rows(),
                "events": [_event_row(account, row) for account in accounts for row in account.events.values()],
                "faults": self._sandbox.faults.as_rows(),
            }
            # A copy, as the answer is written after the lock is given back.
            copy: dict[str, Any] = json.loads(json.dumps(state))
        return {**copy, "webhooks": self._deliveries.described()}


def _parse(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except ValueError as error:
        raise Refused(f"The body is not JSON: {error}") from error


def _row(account: Account, subject: StripeObject, fields: tuple[str, ...]) -> dict[str, Any]:
    return {**{name: subject[name] for name in fields}, "account": account.id}


def _intent_rows(account: Account) -> list[dict[str, Any]]:
    given_back: Counter[str] = Counter()
    for refund in account.refunds.values():
        # A released hold looks like a refund, yet no money was taken, so none is given back.
        if refund["balance_transaction"] is not None and refund["status"] == "succeeded":
            given_back[refund["payment_intent"]] += refund["amount"]
    return [
        {**_row(account, intent, INTENT_FIELDS), "amount_refunded": given_back[intent["id"]]}
        for intent in account.payment_intents.values()
    ]


def _event_row(account: Account, record: EventRecord) -> dict[str, Any]:
    deliveries = [
        {"at": attempt.at, "status": attempt.status, "error": attempt.error, "ms": attempt.ms}
        for attempt in record.deliveries
    ]
    return {
        "id": record.id,
        "type": record.body["type"],
        "created": record.body["created"],
        "object": record.body["data"]["object"]["id"],
        "account": account.id,
        "delivered": record.delivered,
        "deliveries": deliveries,
    }

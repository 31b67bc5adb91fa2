"""The sandbox as one function from request to answer: faults, authentication, idempotency keys, then Stripe itself."""

import base64
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tools.sandbox.calls import CallLog, CallRecord
from tools.sandbox.clock import Clock
from tools.sandbox.faults import Faults, Met
from tools.sandbox.ids import IdSource
from tools.sandbox.messages import Answer, Request, json_body
from tools.sandbox.stripe import api
from tools.sandbox.stripe.account import Account, Caller
from tools.sandbox.stripe.errors import (
    ApiError,
    InvalidRequest,
    KeyInUse,
    RateLimited,
    ResourceMissing,
    StripeError,
    Unauthorized,
)
from tools.sandbox.stripe.idempotency import IdempotencyKeys, Saved
from tools.sandbox.stripe.objects import API_VERSION, EventRecord

NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or "
    "we can help at https://support.stripe.com/."
)
PUBLISHABLE_PREFIX = "pk_test_"


@dataclass
class State:
    """All that a reset forgets."""

    accounts: dict[str | None, Account] = field(default_factory=dict)
    calls: CallLog = field(default_factory=CallLog)


class Sandbox:
    """Stripe's accounts behind their API. Thread-safe; calls are executed one after the other."""

    def __init__(self, *, api_key: str, clock: Clock, ids: IdSource, publish: Callable[[EventRecord], None]) -> None:
        self.clock = clock
        self.ids = ids
        self.faults = Faults()
        self.lock = threading.RLock()
        self.state = State()
        self._api_key = api_key
        self._publish = publish

    def answer(self, request: Request) -> Answer:
        """Answer one API request, with the faults that it meets."""
        request_id = self.ids.new("req_")
        met = self.faults.take(request.method, request.path)
        key = _idempotency_key(request)
        with self.lock:
            call = self.state.calls.arrive(
                method=request.method,
                path=request.path,
                account=request.headers.get("stripe-account"),
                key=key,
                created=self.clock.now(),
                request_id=request_id,
            )
        answer = self._answer(request, call, request_id, met)
        if met.has("drop_answer") and met.other is not None:
            self.clock.sleep(met.other.ms / 1000)
            answer = replace(answer, dropped=True)
        with self.lock:
            call.status = answer.status
            call.dropped += answer.dropped
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, **answer.headers}
        if key is not None:
            headers["Idempotency-Key"] = key
        return replace(answer, headers=headers)

    def account(self, account_id: str | None) -> Account:
        """Return an account's object space, made when first asked for. The caller holds the lock."""
        accounts = self.state.accounts
        if account_id not in accounts:
            keys = IdempotencyKeys(self.clock)
            accounts[account_id] = Account(account_id, self.clock, self.ids, self._publish_of, keys)
        return accounts[account_id]

    def reset(self) -> None:
        """Forget everything. Calls still being executed finish in a state that nobody sees any more."""
        with self.lock:
            self.state = State()
            self.faults.clear()

    def _publish_of(self, account: Account, record: EventRecord) -> None:
        if self.state.accounts.get(account.id) is account:
            self._publish(record)

    def _answer(self, request: Request, call: CallRecord, request_id: str, met: Met) -> Answer:
        if met.has("rate_limit"):
            return _error_answer(RateLimited())
        if met.has("wrong_key"):
            return _error_answer(Unauthorized("Invalid API Key provided: sk_test_*********wrong"))
        if met.has("not_found"):
            name = request.path.removeprefix("/v1/payment_intents/").split("/")[0]
            return _error_answer(ResourceMissing("payment_intent", name, param="intent", http_status=404))
        if met.other is not None and met.has("refuse"):
            return _error_answer(InvalidRequest("This is refused.", **met.other.error))
        if met.has("error_before"):
            return _error_answer(ApiError())
        caller = Caller(request_id, call.idempotency_key)
        try:
            publishable = self._authenticate(request)
            with self.lock:
                account = self.account(call.account)
                saved = _begin(account, request, caller)
        except StripeError as error:
            self._give_back(met)
            return _error_answer(error)
        # With the key claimed: another request with the same key meanwhile hears that it is in use.
        self.clock.sleep(met.latency_ms / 1000)
        if saved is not None:
            self._give_back(met)
            return _replayed(saved)
        with self.lock:
            account.caller = caller
            try:
                answer, executed = self._execute(account, request, call, publishable=publishable)
            finally:
                account.caller = Caller()
            if executed and met.has("error_after"):
                answer = _error_answer(ApiError())
            _finish(account, caller, answer, executed=executed)
        if not executed:
            self._give_back(met)
        return replace(answer, headers={**answer.headers, **_origin(caller)})

    def _execute(
        self, account: Account, request: Request, call: CallRecord, *, publishable: bool
    ) -> tuple[Answer, bool]:
        """Return the answer, and whether execution had begun."""
        try:
            content = api.execute(account, request.method, request.path, request.params, publishable=publishable)
            call.object_id = content.get("id") or call.object_id
            return Answer(200, json_body(content)), True
        except StripeError as error:
            call.object_id = error.extra.get("payment_intent", {}).get("id") or call.object_id
            return _error_answer(error), error.saved
        except Exception:  # noqa: BLE001  # a bug here must reach the client as a 500, and stderr as it is
            traceback.print_exc(file=sys.stderr)
            return _error_answer(ApiError()), False

    def _give_back(self, met: Met) -> None:
        # An error after the effect needs an effect; without one the fault waits for the next request.
        if met.has("error_after") and met.other is not None:
            self.faults.give_back(met.other)

    def _authenticate(self, request: Request) -> bool:
        """Say whether the key is a publishable one. Raises: Unauthorized."""
        key = _api_key(request)
        if not key:
            raise Unauthorized(NO_KEY)
        if key.startswith(PUBLISHABLE_PREFIX):
            return True
        if key != self._api_key:
            raise Unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:] if len(key) > 16 else ''}")
        return False


def _idempotency_key(request: Request) -> str | None:
    return request.headers.get("idempotency-key") or None if request.method == "POST" else None


def _api_key(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[0]
        except ValueError:
            return ""
    # Stripe.js sends the publishable key in the body.
    key = request.params.get("key")
    return key if isinstance(key, str) else ""


def _error_answer(error: StripeError) -> Answer:
    headers = {"Stripe-Should-Retry": "true"} if isinstance(error, KeyInUse) else {}
    return Answer(error.http_status, json_body(error.body()), headers)


def _replayed(saved: Saved) -> Answer:
    return Answer(saved.status, saved.body, {"Idempotent-Replayed": "true", "Original-Request": saved.request_id})


def _begin(account: Account, request: Request, caller: Caller) -> Saved | None:
    if caller.idempotency_key is None:
        return None
    return account.keys.begin(caller.idempotency_key, request.path, request.params, caller.request_id or "")


def _finish(account: Account, caller: Caller, answer: Answer, *, executed: bool) -> None:
    if caller.idempotency_key is None:
        return
    if executed:
        account.keys.save(caller.idempotency_key, answer.status, answer.body)
    else:
        account.keys.release(caller.idempotency_key)


def _origin(caller: Caller) -> dict[str, str]:
    return {} if caller.idempotency_key is None else {"Original-Request": caller.request_id or ""}

"""The sandbox as one function from request to answer: faults, authentication, idempotency keys, then Stripe itself."""

import base64
import json
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sandbox.calls import CallLog, CallRecord
from sandbox.clock import Clock
from sandbox.faults import Faults, Met
from sandbox.form import Params
from sandbox.ids import IdSource
from sandbox.messages import Answer, Request, json_body
from sandbox.stripe import api
from sandbox.stripe.account import Account, Caller
from sandbox.stripe.errors import ApiError, KeyInUse, RateLimited, StripeError, Unauthorized
from sandbox.stripe.idempotency import IdempotencyKeys, Saved
from sandbox.stripe.objects import API_VERSION, EventRecord

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
            state = self.state
            call = state.calls.arrive(
                method=request.method,
                path=request.path,
                account=request.headers.get("stripe-account"),
                key=key,
                created=self.clock.now(),
                request_id=request_id,
            )
        answer = self._answer(state, request, request_id, key, met)
        if met.has("drop_answer") and met.other is not None:
            self.clock.sleep(met.other.ms / 1000)
            answer = replace(answer, dropped=True)
        with self.lock:
            _note_answer(call, answer)
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

    def _answer(self, state: State, request: Request, request_id: str, key: str | None, met: Met) -> Answer:
        if met.has("rate_limit"):
            return _error_answer(RateLimited())
        if met.has("error_before"):
            return _error_answer(ApiError())
        try:
            publishable = self._authenticate(request)
            with self.lock:
                account = self.account(request.headers.get("stripe-account"))
                saved = None
                if key is not None:
                    saved = account.keys.begin(key, request.path, request.params, request_id)
        except StripeError as error:
            self._give_back(met)
            return _error_answer(error)
        self.clock.sleep(met.latency_ms / 1000)
        if saved is not None:
            self._give_back(met)
            return _replayed(saved)
        with self.lock:
            return self._execute(account, request, Caller(request_id, key), publishable, met)

    def _execute(self, account: Account, request: Request, caller: Caller, publishable: bool, met: Met) -> Answer:
        account.caller = caller
        executed = True
        try:
            content = api.execute(account, request.method, request.path, request.params, publishable=publishable)
            answer = Answer(200, json_body(content))
        except StripeError as error:
            executed = error.saved
            answer = _error_answer(error)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            executed = False
            answer = _error_answer(ApiError())
        finally:
            account.caller = Caller()
        if executed and met.has("error_after"):
            answer = _error_answer(ApiError())
        elif not executed:
            self._give_back(met)
        key = caller.idempotency_key
        if key is None:
            return answer
        if executed:
            account.keys.save(key, answer.status, answer.body)
        else:
            account.keys.release(key)
        return replace(answer, headers={**answer.headers, "Original-Request": caller.request_id or ""})

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


def _note_answer(call: CallRecord, answer: Answer) -> None:
    call.status = answer.status
    call.dropped += answer.dropped
    object_id = _object_id(json.loads(answer.body))
    call.object_id = object_id or call.object_id


def _object_id(content: Params) -> str | None:
    if "error" in content:
        content = content["error"].get("payment_intent") or {}
    object_id = content.get("id")
    return object_id if isinstance(object_id, str) else None

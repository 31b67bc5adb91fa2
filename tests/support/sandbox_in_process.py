"""The sandbox without HTTP and with a clock of its own, behind the official client."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from tests.support.sandbox_process import API_KEY, client_of
from tools.sandbox import form
from tools.sandbox.clock import Clock, VirtualClock
from tools.sandbox.ids import SequentialIds
from tools.sandbox.messages import Answer, Request
from tools.sandbox.service import Sandbox
from tools.sandbox.stripe.objects import EventRecord

DAY = 24 * 3600


class InProcess(stripe.HTTPClient):
    """Carries the client's requests to the sandbox by a function call."""

    name = "in-process"

    def __init__(self, *, clock: Clock | None = None, publish: Callable[[EventRecord], None] | None = None) -> None:
        super().__init__()
        self.clock = clock or VirtualClock()
        self.published: list[EventRecord] = []
        publish = publish or self.published.append
        self.sandbox = Sandbox(api_key=API_KEY, clock=self.clock, ids=SequentialIds(), publish=publish)
        self.client = client_of("http://in-process", http_client=self)

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        address = urlsplit(url)
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        params = form.parse(post_data if method == "post" else address.query)
        answer = self.carry(Request(method.upper(), address.path, params, lowered))
        return answer.body.decode(), answer.status, answer.headers

    def carry(self, request: Request) -> Answer:
        return self.sandbox.answer(request)

    def close(self) -> None:
        pass

"""The process and its own endpoints: starting, stopping, many connections, looking inside, forgetting."""

import concurrent.futures
import http.client
import os
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import stripe

from tests.support.sandbox_process import (
    API_KEY,
    ROOT,
    Client,
    Control,
    charge,
    client_of,
    hold,
    start_sandbox,
    stop_sandbox,
)


class TestProcess:
    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
    def test_ends_cleanly(self, how: signal.Signals) -> None:
        process, url = start_sandbox("--port", "0")
        assert Control(url).get("health") == {"status": "ok"}
        process.send_signal(how)
        assert process.wait(timeout=5) == 0
        stop_sandbox(process)

    def test_is_configured_by_the_environment_and_flags_win(self) -> None:
        environment = {
            **os.environ,
            "SANDBOX_HOST": "127.0.0.1",
            "SANDBOX_PORT": "1",
            "SANDBOX_WEBHOOK_URL": "http://127.0.0.1:9/from-environment",
            "SANDBOX_WEBHOOK_SECRET": "whsec_secret",
        }
        process, url = start_sandbox("--port", "0", "--api-key", "sk_test_flag", env=environment)
        try:
            assert Control(url).get("webhooks")["url"] == "http://127.0.0.1:9/from-environment"
            assert charge(client_of(url, key="sk_test_flag")).status == "succeeded"
        finally:
            stop_sandbox(process)

    def test_refuses_an_endpoint_without_a_secret(self) -> None:
        command = [sys.executable, "-m", "tools.sandbox", "--port", "0", "--webhook-url", "http://127.0.0.1:9/"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=10)
        assert run.returncode == 2
        assert "--webhook-secret" in run.stderr

    def test_says_nothing_more(self) -> None:
        command = [sys.executable, "-m", "tools.sandbox", "--port", "0"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        charge(client_of(process.stdout.readline().split()[-1], key="sk_test_sandbox"))
        process.terminate()
        assert process.communicate(timeout=5) == ("", "")


class TestConnections:
    def test_are_kept_open(self, control: Control) -> None:
        address = urlsplit(control.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
        connection.request("GET", "/_sandbox/health")
        connection.getresponse().read()
        used = connection.sock.getsockname()
        connection.request("POST", "/v1/payment_intents", "amount=1", {"Authorization": f"Basic {'!'}"})
        assert connection.getresponse().read()
        assert connection.sock.getsockname() == used
        connection.close()

    def test_can_be_many(self, client: Client, control: Control) -> None:
        control.fault("POST /v1/payment_intents", "latency", ms=300, times=None)
        with concurrent.futures.ThreadPoolExecutor(80) as pool:
            made = list(pool.map(lambda _: hold(client).id, range(80)))
        assert len(set(made)) == 80

    def test_may_break_off(self, client: Client, control: Control) -> None:
        address = urlsplit(control.url)
        with socket.create_connection((address.hostname or "", address.port or 0)) as broken:
            head = f"POST /v1/payment_intents HTTP/1.1\r\nAuthorization: Bearer {API_KEY}\r\nContent-Length: 27\r\n\r\n"
            broken.sendall(head.encode() + b"currency=eur&amount=10")
            broken.shutdown(socket.SHUT_WR)
            assert broken.recv(100) == b""
        assert control.state()["calls"] == []
        assert charge(client).status == "succeeded"


class TestState:
    def test_tells_what_happened(self, client: Client, control: Control) -> None:
        intent = client.v1.payment_intents.create(
            {"amount": 1000, "currency": "eur", "metadata": {"order": "7"}}, {"idempotency_key": "key-1"}
        )
        client.v1.payment_intents.list()
        state = control.state()
        assert set(state) == {"payment_intents", "refunds", "calls", "events", "faults", "webhooks"}
        row = state["payment_intents"][0]
        assert (row["id"], row["metadata"], row["amount_refunded"]) == (intent.id, {"order": "7"}, 0)
        first, second = state["calls"]
        assert (first["idempotency_key"], first["method"], first["path"]) == ("key-1", "POST", "/v1/payment_intents")
        assert (first["attempts"], first["status"], first["object_id"]) == (1, 200, intent.id)
        assert first["request_id"] == intent.last_response.request_id
        assert (second["idempotency_key"], second["method"], second["status"]) == (None, "GET", 200)
        event = state["events"][0]
        assert (event["type"], event["object"], event["delivered"]) == ("payment_intent.created", intent.id, False)
        assert state["webhooks"] == {"mode": "deliver", "url": None, "held": 0}

    def test_tells_no_secrets(self, delivering_client: Client, delivering: Control) -> None:
        hold(delivering_client)
        told = str(delivering.state()) + str(delivering.get("webhooks"))
        assert API_KEY not in told
        assert "whsec" not in told

    def test_is_forgotten_by_a_reset(self, client: Client, control: Control) -> None:
        intent = hold(client)
        control.fault("POST /v1/refunds", "error_before")
        control.post("reset")
        state = control.state()
        for name in ("payment_intents", "refunds", "calls", "events", "faults"):
            assert state[name] == []
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.retrieve(intent.id)

    def test_has_no_other_endpoints(self, control: Control) -> None:
        assert control.send("GET", "secrets")[0] == 404
        assert control.send("POST", "payment_intents/pi_nobody/expire")[0] == 404
        assert control.send("POST", "health", {})[0] == 404

"""A user pool for the tests: keys of its own over HTTP, tokens as one wishes, and codes that are changed for them."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from rest_framework.test import APIClient

REGION = "eu-west-1"
POOL = f"{REGION}_Test12345"
CLIENT = "backoffice-client"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"


class Pool:
    """Signs tokens, publishes keys, and changes codes for tokens."""

    def __init__(self) -> None:
        self.keys = {"first": _first_key()}
        self.is_down = False
        self.asked = 0
        self.codes: dict[str, dict[str, Any]] = {}
        self.url = ""

    def token(self, *, key: str = "first", kid: str | None = None, algorithm: str = "RS256", **changes: Any) -> str:
        """Sign an ID token; a claim that is None is left out."""
        now = int(time.time())
        claims = {
            "sub": "sub-of-ana", "iss": ISSUER, "aud": CLIENT, "token_use": "id", "iat": now, "exp": now + 3_600,
            "email": "ana@example.com", "email_verified": True,
        }  # fmt: skip
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(claims, self.keys[key], algorithm=algorithm, headers={"kid": kid or key})

    def jwks(self) -> dict[str, Any]:
        """Publish the keys."""
        public = [
            json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            | {"kid": kid, "alg": "RS256", "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return {"keys": public}

    def replace_key(self, old: str, new: str) -> None:
        """Rotate: the old key is gone."""
        self.keys.pop(old)
        self.keys[new] = _new_key()

    def change(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Change a code for tokens, as ``/oauth2/token`` does: once, and only with what the code was asked for with."""
        asked = self.codes.pop(form["code"][0], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest()).rstrip(b"=")
        if asked is None or challenge.decode() != asked["code_challenge"] or form["client_id"] != [CLIENT]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "id_token": asked["token"], "token_type": "Bearer"}


@contextmanager
def running() -> Iterator[Pool]:
    """Serve a pool on a port of its own."""
    pool = Pool()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pool.asked += 1
            self._answer(500, {}) if pool.is_down else self._answer(200, pool.jwks())

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(*((500, {}) if pool.is_down else pool.change(form)))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    pool.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield pool
    finally:
        server.shutdown()
        server.server_close()


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _first_key() -> rsa.RSAPrivateKey:
    """Make the key that each pool begins with, once."""
    return _new_key()


def call(token: str, path: str = "slots", **headers: str) -> Any:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}", **headers)
    return client.get(f"/api/v1/{path}")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def groups(*names: str) -> dict[str, Any]:
    return {"cognito:groups": list(names)}


AGENT = groups("holdfast:kayaks:agent")

"""The stack behind `make up` and `make demo`: database, sandbox, web and worker, ready to be used."""

import json
import os
import secrets
import subprocess
import sys
from hashlib import sha256
from typing import Any

import requests
from django.conf import settings

from config import embedded_postgres
from config.env import EMBEDDED, Environment
from tools.demo import other_migrations, places, ports
from tools.demo.output import say
from tools.demo.processes import Child
from tools.demo.supervisor import StartError, Supervisor

API_KEY = "sk_test_sandbox"
HEALTH_SECONDS = 60
PREPARE_SECONDS = 300


class Stack:
    """Everything that runs for one checkout."""

    def __init__(self) -> None:
        self._supervisor = Supervisor()
        self._port = ports.choose("PORT", 8000)
        self._sandbox_port = ports.choose("SANDBOX_PORT", 8001, taken=self._port)
        self._secrets = _secrets()
        # For ourselves too: settings are read once, and tell whether the database is ours to start.
        os.environ.update(self._environment())

    def start(self) -> dict[str, Any]:
        """Bring everything up, write `.data/demo.json` and `.data/env`, and return what is in the first.

        Raises:
            StartError: Something did not come up.
        """
        places.LOGS.mkdir(parents=True, exist_ok=True)
        self.keep_database()
        places.write(places.STACK_ENVIRONMENT, _lines(self._environment()))
        say("Preparing the database …")
        with other_migrations.explained():
            other_migrations.refuse()
            _manage("migrate", "--no-input", "--verbosity", "0")
            _collect_static()
            login = json.loads(_manage("load_demo", "--json").strip().splitlines()[-1])
        say(f"Starting sandbox (port {self._sandbox_port}), web (port {self._port}) and worker …")
        for child, until in self._children():
            _keep_last_log(child)
            self._supervisor.start(child, until=until, seconds=HEALTH_SECONDS)
        demo = {
            "base_url": self._base_url,
            "sandbox_url": self._sandbox_url,
            "api_key": login["api_key"],
            "other_operator_api_key": login["other_operator_api_key"],
            "webhook_secret": self._secrets["webhook_secret"],
            "admin_url": f"{self._base_url}/admin/",
            "admin_user": login["admin_user"],
            "admin_password": login["admin_password"],
        }
        places.write_json(places.DEMO, demo)
        return demo

    def keep_running(self) -> None:
        """Start again what has died. Call it often."""
        self._supervisor.look()

    def stop(self) -> None:
        """Stop everything, the embedded database last."""
        self._supervisor.stop()
        stop_database()

    def keep_database(self) -> None:
        """Start the embedded database if it is ours and not running."""
        if settings.EMBEDDED_POSTGRES_DIR is not None:
            embedded_postgres.ensure_running(settings.EMBEDDED_POSTGRES_DIR)

    @property
    def _base_url(self) -> str:
        return f"http://{ports.HOST}:{self._port}"

    @property
    def _sandbox_url(self) -> str:
        return f"http://{ports.HOST}:{self._sandbox_port}"

    def _environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            # As in production, but for what needs HTTPS: the stack is on this machine and speaks HTTP.
            "DEBUG": "false",
            "DEMO": "true",
            "SECURE_SSL_REDIRECT": "false",
            "SECURE_COOKIES": "false",
            "SECURE_HSTS_SECONDS": "0",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            **_database(),
            "SECRET_KEY": self._secrets["secret_key"],
            "PORT": str(self._port),
            "SANDBOX_PORT": str(self._sandbox_port),
            "STRIPE_API_KEY": API_KEY,
            "STRIPE_API_BASE": self._sandbox_url,
            "STRIPE_WEBHOOK_SECRETS": self._secrets["webhook_secret"],
        }

    def _children(self) -> list[tuple[Child, Any]]:
        environment = dict(os.environ)
        sandbox_environment = environment | {"SANDBOX_WEBHOOK_SECRET": self._secrets["webhook_secret"]}
        sandbox = ["-m", "tools.sandbox", "--host", ports.HOST, "--port", str(self._sandbox_port), "--api-key", API_KEY]
        sandbox += ["--webhook-url", f"{self._base_url}/webhooks/stripe"]
        gunicorn = ["-m", "gunicorn", "--config", "python:config.gunicorn", "config.wsgi"]
        worker = Child("worker", ["manage.py", "worker"], environment, grace_seconds=20)
        return [
            (
                Child("sandbox", sandbox, sandbox_environment, grace_seconds=5),
                lambda: _answers(f"{self._sandbox_url}/_sandbox/health"),
            ),
            (
                Child("web", gunicorn, environment, grace_seconds=15),
                lambda: _is_ready(f"{self._base_url}/health/ready"),
            ),
            # The command, its guard, the workers, and one process each that fetches tasks and that stores results.
            (worker, lambda: worker.family() >= settings.WORKERS + 4),
        ]


def _database() -> dict[str, str]:
    """Ask for the embedded database, unless another one is named; its URL is no setting of the stack's."""
    named = Environment(places.ENVIRONMENT).text("DATABASE_URL") not in ("", EMBEDDED)
    return {} if named else {"DATABASE_URL": EMBEDDED}


def stop_database() -> None:
    """Stop the embedded database of this checkout, if there is one."""
    if places.POSTGRES.exists():
        embedded_postgres.stop(places.POSTGRES)


def _lines(environment: dict[str, str]) -> str:
    head = "# Written by `make up`, for manage.py where nobody has given other settings (config/local_stack.py)."
    return "\n".join([head, *(f"{name}={value}" for name, value in environment.items())]) + "\n"


def _secrets() -> dict[str, str]:
    """Return this checkout's own secrets, made at the first start: sessions and keys outlive a restart."""
    found = places.read_json(places.SECRETS)
    if not {"secret_key", "webhook_secret"} <= found.keys():
        found = {"secret_key": secrets.token_urlsafe(50), "webhook_secret": f"whsec_{secrets.token_urlsafe(24)}"}
        places.write_json(places.SECRETS, found)
    return found


def _manage(*arguments: str) -> str:
    """Run a management command and return what it wrote.

    Raises:
        StartError: It failed.
    """
    command = [sys.executable, "manage.py", *arguments]
    ended = subprocess.run(  # noqa: S603
        command, cwd=places.ROOT, capture_output=True, text=True, check=False, timeout=PREPARE_SECONDS
    )
    if ended.returncode:
        raise StartError(f"manage.py {arguments[0]} failed:\n{ended.stdout}{ended.stderr}".rstrip())
    return ended.stdout


def _collect_static() -> None:
    """Gather the files of the admin and of the API pages, unless they have been gathered as they are now."""
    stamp = places.STATIC / ".gathered-from"
    state = sha256((places.ROOT / "requirements.txt").read_bytes())
    for path in sorted(places.ROOT.glob("*/static/**/*")):
        state.update(f"{path.relative_to(places.ROOT)} {path.stat().st_mtime_ns}\n".encode())
    if not stamp.exists() or stamp.read_text() != state.hexdigest():
        _manage("collectstatic", "--no-input", "--clear", "--verbosity", "0")
        stamp.write_text(state.hexdigest())


def _keep_last_log(child: Child) -> None:
    if child.log.exists():
        child.log.replace(child.log.with_suffix(".log.1"))


def _answers(url: str) -> bool:
    try:
        return _get(url).ok
    except requests.RequestException:
        return False


def _is_ready(url: str) -> bool:
    # Not the whole of readiness, which includes a worker, and that one starts after the web.
    try:
        checks = _get(url).json()["checks"]
    except (requests.RequestException, ValueError, KeyError):
        return False
    return all(checks.get(name, {}).get("ok") for name in ("database", "migrations"))


def _get(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment can't know what is on this machine
        return session.get(url, timeout=2)

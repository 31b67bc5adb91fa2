"""Where the stack keeps things: all of it below `.data`, which belongs to this checkout."""

import json
import os
from pathlib import Path
from typing import Any

from config import local_stack

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / ".data"
LOGS = DATA / "logs"
DEMO = DATA / "demo.json"
SECRETS = DATA / "secrets.json"
LOGIN = DATA / "login.json"
SUPERVISOR = DATA / "supervisor.json"
LOCK = DATA / "supervisor.lock"
STATIC = DATA / "static"
ENVIRONMENT = ROOT / ".env"
POSTGRES = DATA / "postgres"
STACK_ENVIRONMENT = ROOT / local_stack.FILE


def read_json(path: Path) -> dict[str, Any]:
    """Return what a file holds; nothing, if there is none or it was not written to its end."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    write(path, json.dumps(content, indent=2) + "\n")


def write(path: Path, content: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    fresh.replace(path)

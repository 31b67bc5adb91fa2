"""The files that deploy it, as far as they can be read without Docker."""

import os
import re
from typing import Any

import yaml

from tests.support.environment import ROOT, documented


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


class TestCompose:
    def test_has_every_part_with_its_health(self) -> None:
        services = compose()["services"]
        assert set(services) == {"postgres", "migrate", "web", "worker", "sandbox"}
        for name in ("postgres", "worker", "sandbox"):
            assert services[name]["healthcheck"]["test"], name
        assert services["worker"]["command"] == ["python", "manage.py", "worker"]
        for name in ("web", "worker"):
            assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}

    def test_is_reached_from_this_machine_only(self) -> None:
        for name, service in compose()["services"].items():
            for port in service.get("ports", []):
                assert port.startswith("127.0.0.1:"), name

    def test_sets_only_variables_that_there_are(self) -> None:
        given = set(compose()["x-app"]["environment"])
        assert given <= documented()

    def test_a_copy_of_the_example_changes_nothing(self) -> None:
        """Compose reads `.env`, where every variable of the example is set, most of them to nothing."""
        lines = (ROOT / ".env.example").read_text().splitlines()
        given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

        def resolve(match: re.Match[str]) -> str:
            name, operator, default = match[1], match[2], match[3]
            value = given.get(name)
            return default if value is None or (not value and operator == ":-") else value

        environment = compose()["x-app"]["environment"]
        found = {name: re.sub(r"\$\{(\w+)(:?-)([^}]*)\}", resolve, value) for name, value in environment.items()}
        assert found["STRIPE_API_BASE"] == "http://sandbox:8001", "never the real Stripe"
        assert found["STRIPE_API_KEY"] == "sk_test_sandbox"
        assert {"localhost", "web"} <= set(found["ALLOWED_HOSTS"].split(","))
        assert (found["SECURE_SSL_REDIRECT"], found["SECURE_COOKIES"]) == ("false", "false")

    def test_has_no_secret_of_its_own(self) -> None:
        text = (ROOT / "docker-compose.yml").read_text()
        for name in ("SECRET_KEY", "POSTGRES_PASSWORD"):
            assert re.search(rf"\$\{{{name}:\?", text), f"{name} must be asked for"


class TestImage:
    def test_runs_as_nobody_special_and_tells_its_health(self) -> None:
        lines = (ROOT / "Dockerfile").read_text().splitlines()
        last = [line for line in lines if line.startswith("USER ")][-1]
        assert last == "USER holdfast"
        assert any(line.startswith("HEALTHCHECK") for line in lines)
        assert all(":latest" not in line for line in lines if line.startswith("FROM"))

    def test_leaves_out_what_is_not_the_product(self) -> None:
        ignored = (ROOT / ".dockerignore").read_text().split()
        assert {".git", ".env", ".data", ".venv", "tests", "tools"} <= set(ignored)

    def test_the_sandbox_has_one_of_its_own_that_nothing_else_is_in(self) -> None:
        built = compose()["services"]["sandbox"]["build"]
        lines = (ROOT / built["context"] / built["dockerfile"]).read_text().splitlines()
        copied = [line.split()[1] for line in lines if line.startswith("COPY ")]
        assert copied == ["__init__.py", "sandbox"]
        assert all((ROOT / built["context"] / name).exists() for name in copied)
        assert "USER holdfast" in lines
        others = {name: compose()["services"][name].get("image") for name in ("migrate", "web", "worker")}
        assert set(others.values()) == {"holdfast"}


class TestCi:
    def test_runs_the_checks_and_the_tests(self) -> None:
        run = ROOT / ".ci" / "run"
        assert os.access(run, os.X_OK)
        assert run.read_text().splitlines()[-2:] == ["make check", "make test"]

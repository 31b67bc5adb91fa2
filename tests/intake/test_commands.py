"""Arguments of management commands come in through the same place."""

from datetime import date
from typing import Any

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError

from common.commands import CheckedCommand

pytestmark = pytest.mark.django_db

APPS = {"booking", "notifications", "payments", "reconciliation", "sweeps", "tenants", "tools.demo", "webhooks"}
OURS = sorted(name for name, app in get_commands().items() if app in APPS)


class TestCommands:
    def test_every_one_of_ours_checks_its_arguments(self) -> None:
        assert len(OURS) > 10
        unchecked = [
            name for name in OURS if not isinstance(load_command_class(str(get_commands()[name]), name), CheckedCommand)
        ]
        assert unchecked == []

    @pytest.mark.parametrize(
        ("command", "options", "named"),
        [
            ("reconcile", {"payment": "a\0b"}, "payment: Null"),
            ("reconcile", {"payment": "a\udcffb"}, "payment: A lone"),
            ("reconcile", {"operator": "a\0b"}, "operator: Null"),
            ("discrepancies", {"operator": "\ud800"}, "operator: A lone"),
            ("recover_events", {"operator": "x" * 1_001}, "operator: This has 1001 characters; at most 1000"),
            ("settle", {"date": date(9999, 12, 31)}, "date: The year"),
            ("settle", {"date": date(1, 1, 1)}, "date: The year"),
            ("load_demo", {"reservations": 10**30}, "reservations: The number"),
        ],
    )
    def test_what_cannot_be_taken_is_named(self, command: str, options: dict[str, Any], named: str) -> None:
        with pytest.raises(CommandError, match=named) as refused:
            call_command(command, **options)
        assert refused.value.returncode == 2

    @pytest.mark.parametrize(
        "typed", ["0001-01-01", "9999-12-31", "2026-02-30", "253402300800", "9999-12-31T23:59:59-14:00"]
    )
    def test_nor_a_time_that_none_can_be(self, typed: str) -> None:
        for command in (["settle", f"--date={typed}"], ["reconcile", f"--since={typed}"]):
            with pytest.raises(CommandError):
                call_command(*command)

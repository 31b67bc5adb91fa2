"""What every management command is made of."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common import text_intake
from common.times import FIRST_YEAR, LAST_YEAR

_LONGEST = 1_000
_LARGEST = 10**9


class CheckedCommand(BaseCommand):
    """A command that checks its arguments as text.

    Typed ones, and those of ``call_command``.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Check the arguments, then run.

        Raises:
            CommandError: One of them is text, a time or a number that nothing of ours can hold.
        """
        for name, value in [*enumerate(args, start=1), *options.items()]:
            problem = _problem_of(value)
            if problem:
                raise CommandError(f"{name}: {problem}", returncode=2)
        return super().execute(*args, **options)


def _problem_of(value: Any) -> str:
    if isinstance(value, str):
        fault = text_intake.fault_of(value, longest=_LONGEST)
        return fault.message if fault else ""
    if isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        return f"The year must be {FIRST_YEAR} to {LAST_YEAR}."
    if isinstance(value, int) and abs(value) > _LARGEST:
        return f"The number must be at most {_LARGEST}."
    return ""

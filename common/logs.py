"""Log lines as JSON objects, each with its request's id."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import TypeAlias

import psycopg

from common import errors, request_id

ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "status_code", "server_time"}

_DETAIL = re.compile(
    r"DETAIL:  .*?(?=\n(?:HINT|CONTEXT): |\n\n(?:The above|During handling)| : Traceback|\Z)", re.DOTALL
)
"""What PostgreSQL tells of a row, in a text that somebody made of an error, as the queue does of a task that failed."""


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object.

    Time, level, logger, message, request id, what ``extra`` carried, and a traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _DETAIL.sub("DETAIL:  (left out)", record.getMessage()),
        }
        if current := request_id.current.get():
            line["request_id"] = current
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        written = json.dumps(line, default=str, ensure_ascii=False)
        return written.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair would lose the whole line

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802  # logging's own name
        """Format a traceback without row data.

        PostgreSQL's words may have somebody's data.
        """
        text = super().formatException(ei)
        for detail in _details(ei[1]):
            text = text.replace(detail, "(left out)")
        return text


def failure(logger: logging.Logger, message: str, error: BaseException, **ids: object) -> None:
    """Log an error by where it arose, without its words.

    They may hold somebody's data; ``ids`` name the row.
    """
    told = {name: str(value) for name, value in ids.items()}
    logger.error(message, extra=told | {"error": errors.describe(error), "trace": errors.trace(error)})


def _details(error: BaseException | None) -> Iterator[str]:
    """Yield the details of every error of the database in a chain of errors."""
    while error is not None:
        if isinstance(error, psycopg.Error) and error.diag.message_detail:
            yield error.diag.message_detail
        error = error.__cause__ or error.__context__

"""Database connection settings: pool, session options, and time-outs."""

from collections.abc import Callable, Mapping
from typing import Any

import dj_database_url

from config.env import EMBEDDED, with_quoted_password

_ADDRESS = {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}


def databases(
    url: str,
    *,
    current_url: Callable[[], str],
    pool_size: int,
    pool_timeout_seconds: int,
    prepare: bool,
    startup_options: Mapping[str, str | int],
) -> dict[str, Any]:
    """Return ``DATABASES`` for one PostgreSQL; ``pool_size`` 0: no pool.

    ``current_url`` is asked for each new connection, since who connects and where can be rotated (the name stays).
    """
    database: dict[str, Any] = dict(dj_database_url.parse(url, engine="common.postgresql"))
    database["ATOMIC_REQUESTS"] = False
    at_start = current_url()
    database["CURRENT_ADDRESS"] = lambda: _address(current_url(), at_start)
    database["CONN_HEALTH_CHECKS"] = not pool_size  # a pooled connection is looked at when it is taken
    options = database.setdefault("OPTIONS", {})
    # Values are bound by the server, and a statement that comes again and again is planned once for each connection.
    options |= {"server_side_binding": True, "prepare_threshold": 5 if prepare else None}
    # No request waits long for a server that does not take it, or has vanished: seconds, and milliseconds for what is
    # sent.
    options |= {"connect_timeout": 3, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
    options["tcp_user_timeout"] = 10_000
    if startup_options:
        # Said while connecting, so that no statement is spent on it, nor on the time zone, which Django would set by
        # one.
        said = [f"-c {name}={value}" for name, value in startup_options.items()]
        options["options"] = " ".join([options.get("options", ""), *said]).strip()
    if pool_size:
        options["pool"] = {
            "min_size": min(2, pool_size),
            "max_size": pool_size,
            "timeout": pool_timeout_seconds,
            # Given up soon, and begun anew by the next request: else the pauses between tries double while it is away.
            "reconnect_timeout": 2,
        }
    return {"default": database}


def _address(url: str, at_start: str) -> dict[str, Any]:
    """Return who connects where by a URL that was rotated, in psycopg's words; nothing if it was not."""
    if url in ("", EMBEDDED, at_start):
        return {}
    parsed: dict[str, Any] = dict(dj_database_url.parse(with_quoted_password(url)))
    return {word: parsed[name] for name, word in _ADDRESS.items()}

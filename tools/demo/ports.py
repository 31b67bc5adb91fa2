"""Which ports the stack listens on."""

import os
import socket

from config.env import Environment
from tools.demo import places

HOST = "127.0.0.1"
LAST_PORT = 65535


class PortBusyError(Exception):
    """A port that was asked for by name is another program's."""


def choose(name: str, default: int, *, taken: int = 0) -> int:
    """Return the port that a variable names, or else the first free one from the default on, but not ``taken``.

    The default in a copy of `.env.example` names none.

    Raises:
        PortBusyError: The variable names a port that another program has.
    """
    environment = Environment(places.ENVIRONMENT)
    asked = environment.integer(name, 0, least=1, most=LAST_PORT)
    environment.stop_if_wrong()
    if asked and (asked != default or os.environ.get(name)):
        if asked == taken or not is_free(asked):
            raise PortBusyError(f"{name}={asked} is in use by another program. Choose another port, or give none.")
        return asked
    return next(port for port in range(default, LAST_PORT) if port != taken and is_free(port))


def is_free(port: int) -> bool:
    """Tell whether a port can be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else our own last run keeps it for a minute
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True

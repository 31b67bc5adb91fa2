"""How gunicorn serves: `python -m gunicorn --config python:config.gunicorn config.wsgi`."""

import os
import sys
import threading
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from common import connecting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

try:
    # Here, in the parent: a wrong environment is told of once, not by each worker that fails to boot.
    port, workers, threads = settings.PORT, settings.WEB_PROCESSES, settings.WEB_THREADS
except ImproperlyConfigured as problem:
    sys.stderr.write(f"{problem}\n")
    sys.exit(1)

# This machine only, unless --bind says otherwise (as the Dockerfile does).
bind = [f"127.0.0.1:{port}"]
# Threads, and a way of their own for probes.
worker_class = "config.serving.Worker"
# Longer than the slowest request may take: connecting to the provider, its answer, and the two transactions around it.
timeout = 60
graceful_timeout = 30
keepalive = 5
# Heartbeats on disk can block a worker for long; this is memory where there is such a thing.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
errorlog = "-"
accesslog = None
control_socket_disable = True
# The application is loaded by each worker for itself: its pool of connections must not be shared through a fork.
preload_app = False


def on_starting(server: Any) -> None:
    """Stop the start if the database connection would break later.

    Once for all workers.
    """
    if problems := connecting.problems():
        sys.stderr.write("".join(f"{problem}\n" for problem in problems))
        sys.exit(1)


def post_worker_init(worker: Any) -> None:
    """End leases of dead processes here, beside the start.

    The start waits for no database.
    """
    threading.Thread(target=import_string("sweeps.leases.free_left_behind"), daemon=True, name="leases").start()

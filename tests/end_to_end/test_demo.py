"""The README, as a newcomer follows it: the demo on a fresh copy in a folder with a space, and the tour on it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support import servers
from tests.support.environment import ROOT, documented
from tests.support.source import tracked

# Two months ago somebody has loaded the demo into this database.
AGING = """.venv/bin/python manage.py shell -v 0 -c "
from datetime import UTC, datetime, timedelta
from tools.demo import data
data.load(now=datetime.now(UTC) - timedelta(days=60))
" """
PLAYED = "Nothing sold twice, nothing charged twice, nothing left hanging."


@pytest.fixture
def copy() -> Iterator[Path]:
    """A copy of what is in the repository, and nothing else."""
    root = Path(tempfile.mkdtemp(prefix="holdfast copy "))
    root.chmod(0o755)
    for path in tracked():
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (root / ".venv").symlink_to((ROOT / ".venv").resolve())
    shutil.copy2(ROOT / ".env.example", root / ".env")  # a newcomer's first step elsewhere, which must change nothing
    yield root
    shutil.rmtree(root, ignore_errors=True)


def processes_in(directory: Path) -> list[psutil.Process]:
    """List what still runs for this copy, its database too."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(directory)) or str(directory) in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def run(directory: Path, environment: dict[str, str], commands: str) -> str:
    """Run commands as a reader does, and return what they say."""
    ended = subprocess.run(["/bin/sh", "-euc", commands], cwd=directory, env=environment, capture_output=True,
                           text=True, check=False, timeout=90)  # fmt: skip
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


@pytest.mark.slow
class TestReadme:
    @pytest.mark.timeout(480)
    def test_the_demo_and_the_tour_work_as_written(self, copy: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in documented()}
        said = copy / "said.txt"
        with said.open("wb") as log:
            demo = subprocess.Popen([sys.executable, "-m", "tools.demo", "demo"], cwd=copy, env=environment, stdout=log,
                                    stderr=log, start_new_session=True)  # fmt: skip

        def is_up() -> bool:
            assert demo.poll() is None, said.read_text()
            return "Ctrl-C stops it." in said.read_text()

        try:
            servers.wait("the demo is up", is_up, seconds=240)
            assert PLAYED in said.read_text()
            run(copy, environment, AGING)
            blocks = re.findall(r"```sh\n(.*?)```", (copy / "README.md").read_text(), re.S)
            tour, commands = (next(block for block in blocks if word in block) for word in ("curl", "manage.py"))
            assert '"to":"paid"' in run(copy, environment, tour)
            assert "P1  holds" in run(copy, environment, commands)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=60)
        assert processes_in(copy) == []

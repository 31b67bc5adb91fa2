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

from tests import servers
from tests.architecture.source import tracked
from tests.environment import ROOT, documented

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


class TestReadme:
    @pytest.mark.timeout(240)
    def test_the_demo_and_the_tour_work_as_written(self, copy: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in documented()}
        said = copy / "said.txt"
        with said.open("wb") as log:
            demo = subprocess.Popen([sys.executable, "-m", "demo", "demo"], cwd=copy, env=environment, stdout=log,
                                    stderr=log, start_new_session=True)  # fmt: skip

        def is_up() -> bool:
            assert demo.poll() is None, said.read_text()
            return "Ctrl-C stops it." in said.read_text()

        try:
            servers.wait("the demo is up", is_up, seconds=120)
            assert PLAYED in said.read_text()
            blocks = re.findall(r"```sh\n(.*?)```", (copy / "README.md").read_text(), re.S)
            tour = next(block for block in blocks if "curl" in block)
            ended = subprocess.run(["/bin/sh", "-euc", tour], cwd=copy, env=environment, capture_output=True,
                                   text=True, check=False, timeout=60)  # fmt: skip
            assert ended.returncode == 0, ended.stderr + ended.stdout
            assert '"to":"paid"' in ended.stdout
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=60)
        assert processes_in(copy) == []

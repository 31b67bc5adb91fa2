"""The first requests of a process for the description of the API come at the same moment."""

import subprocess
import sys

from tests.support.environment import ROOT

ASK = """
import threading, django
django.setup()
from django.test import Client
told, ready = [], threading.Barrier(4)
def ask():
    ready.wait()
    told.append(Client().get("/api/v1/schema", headers={"host": "localhost"}))
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print([answer.status_code for answer in told], len({answer.content for answer in told}))
"""


def test_all_are_answered_alike() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK], cwd=ROOT, check=True, capture_output=True, text=True, timeout=110
    )
    assert done.stdout.splitlines()[-1] == "[200, 200, 200, 200] 1"

"""The tests of the browser need one: without Chromium they are left out, and the run begins by saying so."""

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


def pytest_report_header() -> str:
    """Say which browser is used, or that there is none."""
    return f"browser: {CHROMIUM or 'none, so that tests/browser is left out'}"

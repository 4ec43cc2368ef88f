"""What all tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
# The same examples in every run, so that a failure tells of a change. To search for new ones:
# pytest --hypothesis-profile default
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.load_profile("repeatable")
KRITA_PROGRAMS = ("krita", "Xvfb", "xdotool")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in KRITA_PROGRAMS if shutil.which(name) is None]
    for item in items:
        if missing and item.get_closest_marker("krita"):
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Folder for pictures that are worth a look after the tests."""
    folder = Path(os.environ.get("NURI_TEST_OUTPUT", ROOT / "test-output"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

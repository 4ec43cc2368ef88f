"""The front process stays small: what it must never load, and what it computes with."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .house import House, small

HEAVY = ("numpy", "cv2", "scipy", "torch", "PIL", "backend.tasks", "backend.imaging")


def test_front_never_imports_what_computes() -> None:
    program = f"""
import sys
import backend.daemon.server
loaded = [name for name in {HEAVY!r} if name in sys.modules]
sys.exit(f"loaded: {{loaded}}" if loaded else 0)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def pids() -> Iterator[tuple[int, int]]:
    """Front and worker of a daemon that has coloured something; its own environment is dirty."""
    folder = Path(tempfile.mkdtemp(prefix="nuri-"))
    house = House(folder)
    house.start(prologue="import os; os.environ.update(PYTHONPATH='/x', QT_PLUGIN_PATH='/x');")
    client = house.client()
    client.submit("flats", small()).result(60)
    yield house.file().pid, house.worker_pid(client)
    house.close()
    shutil.rmtree(folder)


def test_running_front_has_mapped_nothing_that_computes(pids: tuple[int, int]) -> None:
    mapped = Path(f"/proc/{pids[0]}/maps").read_text()
    assert not [name for name in ("numpy", "cv2", "scipy", "torch") if f"/{name}" in mapped]


def test_worker_loads_no_torch_for_flats(pids: tuple[int, int]) -> None:
    mapped = Path(f"/proc/{pids[1]}/maps").read_text()
    assert "/numpy" in mapped
    assert "/torch" not in mapped


def test_worker_gets_a_clean_environment(pids: tuple[int, int]) -> None:
    entries = Path(f"/proc/{pids[1]}/environ").read_bytes().split(b"\0")
    names = {entry.split(b"=")[0] for entry in entries}
    assert not names & {b"PYTHONPATH", b"QT_PLUGIN_PATH", b"LD_LIBRARY_PATH"}

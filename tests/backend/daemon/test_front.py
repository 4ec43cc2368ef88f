"""The front process stays small: what it must never load, and what it computes with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_running_front_has_mapped_nothing_that_computes(house: House) -> None:
    house.start()
    house.client().submit("flats", small()).result(60)
    mapped = Path(f"/proc/{house.file().pid}/maps").read_text()
    assert not [name for name in ("numpy", "cv2", "scipy", "torch") if f"/{name}" in mapped]


def test_worker_loads_no_torch_for_flats(house: House) -> None:
    house.start()
    client = house.client()
    client.submit("flats", small()).result(60)
    mapped = Path(f"/proc/{house.worker_pid(client)}/maps").read_text()
    assert "/numpy" in mapped
    assert "/torch" not in mapped


def test_worker_gets_a_clean_environment(house: House) -> None:
    house.start(prologue="import os; os.environ.update(PYTHONPATH='/x', QT_PLUGIN_PATH='/x');")
    worker = house.worker_pid(house.client())
    names = {
        entry.split(b"=")[0] for entry in Path(f"/proc/{worker}/environ").read_bytes().split(b"\0")
    }
    assert not names & {b"PYTHONPATH", b"QT_PLUGIN_PATH", b"LD_LIBRARY_PATH"}

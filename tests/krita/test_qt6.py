"""The plugin's widgets under PyQt6, the Qt of Krita 6; the rest of Krita is `qt6/krita.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent / "qt6"


def test_docker_menu_and_dialogs(tmp_path: Path) -> None:
    try:
        import PyQt6.QtWidgets  # noqa: F401
    except ImportError as error:
        pytest.skip(f"NOT TESTED UNDER QT 6: {error}")
    picture = tmp_path / "A reference.png"
    Image.new("RGB", (600, 400), (200, 30, 30)).save(picture)
    folders = [str(HERE), str(ROOT / "krita_plugin"), str(ROOT)]
    own = {
        "PYTHONPATH": os.pathsep.join(folders),
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / "walk.py", picture],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout.splitlines()
    assert {"Backend not installed", "A reference.png", "A message.<br>Its remedy."} <= set(
        shown
    ), shown

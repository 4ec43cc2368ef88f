"""Compiled functions where their machine code cannot be kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

PROGRAM = (
    "import logging\n"
    "logging.basicConfig(format='%(message)s', level=logging.INFO)\n"
    "from backend.imaging import lightness, lzf\n"
    "print(lzf.unpack(b'\\2abc', 3).tobytes())\n"
    "import numpy; print(lightness.lightness(numpy.full((1, 1), 255, numpy.uint8)))\n"
)
TOLD = "b'abc'\n[[100.]]\n"
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"


def run(program: str, **variables: str) -> tuple[str, list[str]]:
    """Standard output, and the lines of the log."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.splitlines()


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_machine_code_is_kept(tmp_path: Path) -> None:
    _, log = run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path))
    assert log == []
    assert {path.suffix for path in kept(tmp_path)} == {".nbi", ".nbc"}


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_full_disk_costs_the_kept_code_alone(tmp_path: Path) -> None:
    told, log = run(FULL + PROGRAM, NUMBA_CACHE_DIR=str(tmp_path))
    assert told == TOLD
    (line,) = log
    assert line.startswith("machine code cannot be kept") and "File too large" in line
    assert kept(tmp_path) == []


@pytest.mark.skipif(
    not hasattr(numba.config, "CACHE_LOCATOR_CLASSES"), reason="an older Numba has always a place"
)
def test_no_place_for_machine_code_is_no_failure() -> None:
    only_asked = "UserProvidedCacheLocator"  # and nothing is asked for
    told, log = run(PROGRAM, NUMBA_CACHE_DIR="", NUMBA_CACHE_LOCATOR_CLASSES=only_asked)
    assert told == TOLD
    (line,) = log
    assert line.startswith("machine code cannot be kept") and "no folder" in line

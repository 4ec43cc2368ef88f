"""Small disks that are full or read-only; real mounts, so for root on Linux alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _can_mount() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    probe = ["unshare", "--mount", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(not _can_mount(), reason="only root on Linux can mount")


@contextmanager
def full_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of its own with room for so many kilobytes."""
    folder.mkdir()
    options = f"size={kilobytes}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def read_only_disk(folder: Path) -> Iterator[Path]:
    """A disk that cannot be written to, by root neither."""
    with full_disk(folder, 64):
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield folder

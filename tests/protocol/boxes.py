"""Boxes with process numbers of their own, as Flatpak makes them."""

from __future__ import annotations

import shutil
import subprocess

BOX = ["unshare", "--pid", "--fork", "--mount-proc"]


def has_boxes() -> bool:
    """True where this user may make one."""
    if shutil.which(BOX[0]) is None:
        return False
    return subprocess.run([*BOX, "true"], capture_output=True, check=False).returncode == 0

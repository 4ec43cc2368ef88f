"""Makes `protocol`, `zmq` and `msgpack` importable inside Krita's own Python.

The installer puts them beside this file:

    vendor/protocol/                    Nuri's own, the same for every Python
    vendor/<abi>-<platform>/            unpacked wheels of pyzmq and msgpack
        abi        cp310, cp311, or abi3 (Python 3.12 and later)
        platform   linux-x86_64, linux-aarch64, win-amd64 or macos-universal

Where no wheel fits, the system's own modules serve (Linux distributions package them).
"""

from __future__ import annotations

import importlib
import sys
import sysconfig
from pathlib import Path

VENDOR = Path(__file__).resolve().parent / "vendor"
REMEDY = "In Nuri's folder run once more: python3 install.py plugin\nThen restart Krita."


def abi() -> str:
    """The name of the wheels' Python interface: cp310, cp311 or abi3."""
    minor = sys.version_info[1]
    return "abi3" if minor >= 12 else f"cp3{minor}"


def platform() -> str:
    """The name of the wheels' platform, as in the folder names above."""
    name = sysconfig.get_platform().replace("_", "-").replace("x86-64", "x86_64")
    return "macos-universal" if name.startswith("macosx") else name


def load(vendor: Path = VENDOR) -> str:
    """Put the vendored modules on the path and try them; returns "" or why they cannot be used.

    Never raises: a plugin that raises while Krita loads it disappears without a word.
    """
    wheels = vendor / f"{abi()}-{platform()}"
    # The folders go first, so that an older pyzmq of the system is not preferred.
    for folder in (wheels, vendor):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    for name in ("msgpack", "zmq", "protocol.client"):
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - a broken wheel may raise anything
            found = "" if wheels.is_dir() else f" (no folder {wheels.name} in the plugin)"
            return (
                f"Nuri cannot load its module {name.split('.')[0]} in Krita's Python "
                f"{sys.version_info[0]}.{sys.version_info[1]} on {platform()}{found}: {error}"
            )
    return ""

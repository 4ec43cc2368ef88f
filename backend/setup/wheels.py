"""The libraries that travel with the Krita plugin: pyzmq and msgpack for every Python of Krita.

Krita's packages carry Pythons of their own, so each gets its wheel: `cp310`, `cp311`, and `abi3`
for 3.12 and later.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from protocol.errors import ErrorCode, NuriError

from . import pip
from .console import Step

PLATFORMS = {
    "linux-x86_64": ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"],
    "linux-aarch64": ["manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
    "win-amd64": ["win_amd64"],
    "macos-universal": ["macosx_11_0_universal2", "macosx_11_0_arm64"],
}
# pyzmq's wheel for 3.12 serves all later Pythons; msgpack has one for each.
_PYTHONS = {"cp310": ["3.10"], "cp311": ["3.11"], "abi3": ["3.12", "3.13", "3.14"]}
_UNUSED = ("zmq/tests/", "zmq/backend/cffi/", "zmq/devices/", "zmq/log/", "zmq/ssh/")


def platform_name() -> str:
    """This machine's name in PLATFORMS. Raises `NuriError` unsupported."""
    machine = platform.machine().lower().replace("arm64", "aarch64").replace("amd64", "x86_64")
    if sys.platform == "darwin":
        return "macos-universal"
    name = "win-amd64" if sys.platform == "win32" else f"linux-{machine}"
    if name not in PLATFORMS or (sys.platform == "win32" and machine != "x86_64"):
        raise NuriError(
            ErrorCode.unsupported,
            f"The libraries for the plugin are not made for {sys.platform} on {machine}",
            "Install pyzmq and msgpack for Krita's own Python by your system's packages",
        )
    return name


def fetch(python: Path, target: Path, system: str, step: Step) -> None:
    """Fills ``target`` with one folder `<abi>-<system>` for every Python of Krita.

    ``python``: the environment's interpreter; what was fetched once is kept beside it. Raises
    `NuriError` as `pip.run` does.
    """
    versions = _backend_versions(python)
    for abi, pythons in _PYTHONS.items():
        kept = python.parent.parent / "plugin-wheels" / "-".join([abi, system, *versions])
        if not kept.is_dir():
            kept.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=kept.parent) as scratch:
                folder = Path(scratch, "folder")
                for version in pythons:
                    _fetch_for(python, folder, version, system, versions, step)
                os.replace(folder, kept)
        shutil.copytree(kept, target / f"{abi}-{system}")


def _backend_versions(python: Path) -> list[str]:
    """The versions of pyzmq and msgpack that the backend itself uses."""
    code = "from importlib.metadata import version as v; print(v('pyzmq'), v('msgpack'))"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True)
    versions = done.stdout.split()
    if len(versions) != 2:
        raise NuriError(
            ErrorCode.internal,
            "The environment lacks pyzmq or msgpack",
            f"Delete {python.parent.parent} and run this again",
        )
    return versions


def _fetch_for(
    python: Path, folder: Path, version: str, system: str, versions: list[str], step: Step
) -> None:
    with tempfile.TemporaryDirectory(prefix="nuri-wheels-") as scratch:
        arguments = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", scratch]
        arguments += ["--implementation", "cp", "--python-version", version]
        for tag in PLATFORMS[system]:
            arguments += ["--platform", tag]
        # An older version where the newest left this Python behind.
        arguments += [f"pyzmq>=26,<={versions[0]}", f"msgpack>=1.0,<={versions[1]}"]
        step.note(f"Python {version} on {system}")
        pip.run(python, arguments, f"A library of the plugin (Python {version}, {system})", step)
        for wheel in sorted(Path(scratch).glob("*.whl")):
            _unpack(wheel, folder, system)


def _unpack(wheel: Path, folder: Path, system: str) -> None:
    """Unpacks a wheel; of several for the same folder, each adds what the others lack."""
    # One file name serves both kinds of Mac, so there msgpack computes in plain Python.
    plain = system == "macos-universal" and wheel.name.startswith("msgpack")
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = entry.filename
            if entry.is_dir() or name.startswith(_UNUSED) or name.endswith((".pyx", ".pxd", ".h")):
                continue
            if plain and name.endswith(".so"):
                continue
            path = folder / name
            if not os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep):
                raise NuriError(
                    ErrorCode.malformed, f"{wheel.name} wants to write outside: {name}", "Report it"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, path.open("wb") as sink:
                shutil.copyfileobj(source, sink)

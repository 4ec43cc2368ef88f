"""Finds the Kritas of this user: where each keeps plugins and settings, and which version it is."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import kritarc

_FLATPAK = "org.kde.krita"
_STORE_PACKAGES = "*.Krita_*"


@dataclass(frozen=True)
class Krita:
    """One installed Krita (or one that could be: ``found`` is False for a guessed place)."""

    kind: str
    resources: Path
    settings: Path
    found: bool

    @property
    def plugins(self) -> Path:
        return self.resources / "pykrita"

    @property
    def is_sandboxed(self) -> bool:
        """True where Krita cannot see the user's other programs and sockets."""
        return self.kind in ("flatpak", "snap")


def find(home: Path | None = None) -> list[Krita]:
    """Every Krita of this user; the system's usual place alone when none is seen."""
    home = home or Path.home()
    if sys.platform == "win32":
        places = _windows(home)
    elif sys.platform == "darwin":
        library = home / "Library"
        places = [("macOS", library / "Application Support/krita", library / "Preferences/kritarc")]
    else:
        places = _linux(home)
    kritas = [_krita(*place) for place in places]
    found = [krita for krita in kritas if krita.found]
    return found or kritas[:1]


def at(resources: Path, settings: Path | None = None) -> Krita:
    """The Krita with this resource folder, and ``settings`` if they do not lie where expected."""
    resources = Path(os.path.abspath(resources.expanduser()))
    usual = find()
    for krita in usual:
        if krita.resources == resources and settings is None:
            return krita
    if settings is None:
        # A whole profile kept elsewhere has data/krita beside config/kritarc.
        beside = resources.parent.parent / "config" / "kritarc"
        settings = beside if beside.is_file() else usual[0].settings
    return Krita("chosen", resources, settings, True)


def version(krita: Krita) -> str:
    """The version of this Krita as its system tells it; "" when nobody tells."""
    if krita.kind == "flatpak":
        return _first_match(["flatpak", "info", _FLATPAK], r"Version:\s*(\S+)")
    if krita.kind == "snap":
        return _first_match(["snap", "list", "krita"], r"(?m)^krita\s+(\S+)")
    if sys.platform == "darwin":
        return _version_of_application()
    if sys.platform == "win32":
        return ""
    for command, pattern in (
        (["dpkg-query", "-W", "-f", "${Version}", "krita"], r"^(?:\d+:)?([\d.]+)"),
        (["rpm", "-q", "--qf", "%{VERSION}", "krita"], r"^([\d.]+)$"),
        (["pacman", "-Q", "krita"], r"krita (?:\d+:)?([\d.]+)"),
    ):
        if answer := _first_match(command, pattern):
            return answer
    return ""


def is_running() -> bool:
    """True when a process named krita is seen (Linux alone; elsewhere nobody asks)."""
    names = []
    for entry in Path("/proc").glob("[0-9]*/comm"):
        try:
            names.append(entry.read_text().strip())
        except OSError:
            continue
    return "krita" in names


def _krita(kind: str, resources: Path, settings: Path) -> Krita:
    # Krita's settings can name another resource folder (Settings > Manage Resources).
    if chosen := kritarc.setting(settings, b"ResourceDirectory"):
        resources = Path(os.fsdecode(chosen)).expanduser()
    program = kind in ("Linux", "macOS", "Windows") and _has_program()
    return Krita(kind, resources, settings, program or resources.is_dir() or settings.is_file())


def _linux(home: Path) -> list[tuple[str, Path, Path]]:
    data = _folder("XDG_DATA_HOME", home / ".local/share")
    config = _folder("XDG_CONFIG_HOME", home / ".config")
    flatpak = home / ".var/app" / _FLATPAK
    snap = home / "snap/krita/current"
    return [
        ("Linux", data / "krita", config / "kritarc"),
        ("flatpak", flatpak / "data/krita", flatpak / "config/kritarc"),
        ("snap", snap / ".local/share/krita", snap / ".config/kritarc"),
    ]


def _windows(home: Path) -> list[tuple[str, Path, Path]]:
    roaming = _folder("APPDATA", home / "AppData/Roaming")
    local = _folder("LOCALAPPDATA", home / "AppData/Local")
    places = [("Windows", roaming / "krita", local / "kritarc")]
    for package in sorted((local / "Packages").glob(_STORE_PACKAGES)):
        cache = package / "LocalCache"
        places.append(("Windows store", cache / "Roaming/krita", cache / "Local/kritarc"))
    return places


def _folder(variable: str, default: Path) -> Path:
    given = os.environ.get(variable, "")
    return Path(given) if os.path.isabs(given) else default


def _has_program() -> bool:
    if sys.platform == "darwin":
        return Path("/Applications/krita.app").is_dir()
    if sys.platform == "win32":
        roots = [os.environ.get(name, "") for name in ("ProgramFiles", "ProgramW6432")]
        return any(root and Path(root, "Krita (x64)").is_dir() for root in roots)
    return shutil.which("krita") is not None


def _version_of_application() -> str:
    try:
        table = plistlib.loads(Path("/Applications/krita.app/Contents/Info.plist").read_bytes())
    except (OSError, plistlib.InvalidFileException):
        return ""
    return str(table.get("CFBundleShortVersionString", ""))


def _first_match(command: list[str], pattern: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(pattern, done.stdout) if done.returncode == 0 else None
    return found[1] if found else ""

"""Puts the plugin into Krita, takes it out again, or packs it for Krita's own importer."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from protocol.errors import ErrorCode, NuriError

from . import console, kritarc, project, wheels
from .krita import Krita

NAME = "nuri"
MANIFEST = "installed.json"
_SCRATCH = ".nuri-new-"
_SOURCE = project.ROOT / "krita_plugin"
_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "vendor")


def build(python: Path, folder: Path, systems: Iterable[str]) -> None:
    """Lays the plugin out in ``folder`` as it will lie in Krita's resource folder."""
    package = folder / "pykrita" / NAME
    if not (_SOURCE / NAME / "__init__.py").is_file():
        raise NuriError(
            ErrorCode.not_found, f"{_SOURCE} holds no plugin", "Get a complete copy of Nuri"
        )
    shutil.copytree(_SOURCE / NAME, package, ignore=_SKIPPED)
    shutil.copy2(_SOURCE / f"{NAME}.desktop", folder / "pykrita")
    (folder / "actions").mkdir()
    shutil.copy2(_SOURCE / f"{NAME}.action", folder / "actions")
    vendor = package / "vendor"
    shutil.copytree(project.ROOT / "protocol", vendor / "protocol", ignore=_SKIPPED)
    shutil.copy2(project.ROOT / "LICENSE", package)
    for system in systems:
        with console.step(f"fetching the plugin's libraries for {system}") as step:
            wheels.fetch(python, vendor, system, step)
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    files.append(f"pykrita/{NAME}/{MANIFEST}")
    manifest = {"version": project.version(), "files": files}
    (package / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def install(python: Path, krita: Krita) -> list[str]:
    """Installs and enables the plugin; returns what the artist should know besides.

    The new plugin is complete beside the old one before it takes its place.
    """
    notes: list[str] = []
    try:
        krita.plugins.mkdir(parents=True, exist_ok=True)
        (krita.resources / "actions").mkdir(exist_ok=True)
        for left in krita.plugins.glob(f"{_SCRATCH}*"):  # by a run that was interrupted
            shutil.rmtree(left)
        # In the same folder, so that renaming suffices; Krita looks at *.desktop files alone.
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=krita.plugins) as scratch:
            built = Path(scratch)
            build(python, built, [wheels.platform_name()])
            notes += _set_aside(krita, built)
            os.replace(built / "pykrita" / NAME, krita.plugins / NAME)
            for name in (f"pykrita/{NAME}.desktop", f"actions/{NAME}.action"):
                os.replace(built / name, krita.resources / name)
    except OSError as error:
        raise _refused(krita, error) from error
    kritarc.enable(krita.settings)
    return notes


def uninstall(krita: Krita) -> tuple[bool, list[str]]:
    """Disables the plugin and removes exactly what `install` put there.

    Returns whether that was anything, and the paths of files that are not ours.
    """
    kritarc.disable(krita.settings)
    try:
        ours = [krita.resources / name for name in _installed_files(krita)]
        was_there = any(path.is_file() for path in ours)
        for path in ours:
            path.unlink(missing_ok=True)
        package = krita.plugins / NAME
        for cache in [*package.rglob("__pycache__")]:
            shutil.rmtree(cache)
        folders = [path for path in package.rglob("*") if path.is_dir()]
        for folder in sorted([*folders, package], key=lambda path: -len(path.parts)):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    except OSError as error:
        raise _refused(krita, error) from error
    beside = (krita.plugins / f"{NAME}.desktop", krita.resources / f"actions/{NAME}.action")
    left = sorted(str(path) for path in (*package.rglob("*"), *beside) if path.is_file())
    return was_there, left


def pack(python: Path, target: Path, systems: Iterable[str]) -> None:
    """Writes a zip file for Krita's Tools > Scripts > Import Python Plugin from File."""
    target = Path(os.path.abspath(target.expanduser()))
    scratch_zip = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(prefix="nuri-plugin-") as scratch:
            built = Path(scratch)
            build(python, built, systems)
            target.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(scratch_zip, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(built.rglob("*")):
                    name = path.relative_to(built)
                    # The importer wants the package and its .desktop file side by side, and an
                    # entry for the package's folder itself.
                    inside = PurePosixPath(*name.parts[1:]) if len(name.parts) > 1 else None
                    if inside is not None:
                        archive.write(path, str(inside))
        os.replace(scratch_zip, target)
    except OSError as error:
        raise NuriError(
            ErrorCode.bad_input,
            f"{target} cannot be written: {error.strerror or error}",
            "Give another place: --zip FILE",
        ) from error
    finally:
        scratch_zip.unlink(missing_ok=True)


def installed_version(krita: Krita) -> str | None:
    """The version of the installed plugin, "" when it does not tell, None when there is none."""
    if not (krita.plugins / f"{NAME}.desktop").is_file():
        return None
    return str(_manifest(krita).get("version", ""))


def _set_aside(krita: Krita, built: Path) -> list[str]:
    """Moves the old plugin out of the way; files in it that are not ours move into the new one."""
    old = krita.plugins / NAME
    if not old.exists():
        return []
    notes = []
    if _manifest(krita):
        known = set(_installed_files(krita))
        for path in sorted(old.rglob("*")):
            name = path.relative_to(krita.resources)
            if path.is_file() and name.as_posix() not in known and "__pycache__" not in path.parts:
                kept = built / name
                if not kept.exists():
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, kept)
        os.replace(old, built / "old")
    else:
        number = 1
        while (krita.resources / f"nuri-before-{number}").exists():
            number += 1
        kept_folder = krita.resources / f"nuri-before-{number}"
        os.replace(old, kept_folder)
        notes.append(f"An older plugin that was copied by hand is kept in {kept_folder}")
    return notes


def _manifest(krita: Krita) -> dict[str, object]:
    try:
        table = json.loads((krita.plugins / NAME / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


def _installed_files(krita: Krita) -> list[str]:
    """What the manifest lists, less anything that points outside the plugin's own places."""
    files = _manifest(krita).get("files")
    own = (f"pykrita/{NAME}/", f"pykrita/{NAME}.desktop", f"actions/{NAME}.action")
    names = [name for name in files if isinstance(name, str)] if isinstance(files, list) else []
    return [n for n in names if n.startswith(own) and ".." not in PurePosixPath(n).parts]


def _refused(krita: Krita, error: OSError) -> NuriError:
    return NuriError(
        ErrorCode.bad_input,
        f"{error.filename or krita.resources} cannot be changed: {error.strerror or error}",
        "Close Krita, make the folder writable for you, or choose another with --krita-dir",
    )

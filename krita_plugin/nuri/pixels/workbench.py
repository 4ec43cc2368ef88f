"""Small hidden documents of Nuri's own, to convert pixels in: these changes are nobody's work.

Krita saves a changed document by itself, a copy of the artist's in place of theirs. So each of
these has a file of its own in a temporary folder, and none appears among the open documents.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from krita import Krita

from protocol.errors import ErrorCode, NuriError

from ..steps import Work

_SIDE = 16
# What new ones are copied from, by colour space; never changed itself.
_masters: dict[tuple[str, str, str], Any] = {}
_folders: list[tempfile.TemporaryDirectory[str]] = []


def open_bench(space: tuple[str, str, str]) -> Work:
    """A new document with a colour space; `drop` it. Raises `NuriError` disk_full."""
    if space not in _masters:
        master = yield from _make(space)
        # Another job may have made one meanwhile.
        if _masters.setdefault(space, master) is not master:
            drop(master)
    return _masters[space].clone()


def drop(document: Any) -> None:
    """Closes a hidden document."""
    document.waitForDone()
    document.setModified(False)
    document.close()


def close() -> None:
    """Krita is about to end; nothing can be opened after this."""
    while _masters:
        drop(_masters.popitem()[1])
    while _folders:
        _folders.pop().cleanup()


def _make(space: tuple[str, str, str]) -> Work:
    folder = tempfile.TemporaryDirectory(prefix="nuri-", ignore_cleanup_errors=True)
    _folders.append(folder)
    seed = Krita.instance().createDocument(_SIDE, _SIDE, "workbench", *space, 72.0)
    try:
        yield 0
        seed.setBatchmode(True)
        seed.waitForDone()
        if not seed.saveAs(str(Path(folder.name) / "workbench.kra")):
            raise NuriError(
                ErrorCode.disk_full,
                f"Nuri cannot write to the folder {tempfile.gettempdir()}",
                "free some space there",
            )
        yield 0
        return seed.clone()
    finally:
        drop(seed)

"""Costly derived arrays on disk, found again by what they were made from."""

from __future__ import annotations

import hashlib
import io as memory
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from backend.imaging.disk import make_folder, write_atomic
from protocol.errors import NuriError

_log = logging.getLogger("nuri.training")


class ArrayCache:
    """A folder of arrays. Entries are written whole or not at all; a damaged one is made anew.

    folder: default $NURI_CACHE, else nuri/training in the user's cache folder. When nothing can be
    written (a full disk), one warning is logged and arrays are made again each time.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()
        self._writable = True

    def get(self, key: tuple[object, ...], make: Callable[[], np.ndarray]) -> np.ndarray:
        """The array of ``key``: everything its value depends on, content hashes included."""
        return self._get(key, make, None)

    def mapped(self, key: tuple[object, ...], make: Callable[[], np.ndarray]) -> np.ndarray:
        """As `get`, read-only and left on disk until a part of it is looked at."""
        return self._get(key, make, "r")

    def _get(
        self, key: tuple[object, ...], make: Callable[[], np.ndarray], mode: Literal["r"] | None
    ) -> np.ndarray:
        path = self._path(key)
        try:
            return np.load(path, mmap_mode=mode, allow_pickle=False)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, EOFError):
            _log.info("%s is damaged and is made again", path)
        array = make()
        if self._writable:
            self._write(path, array)
        return array

    def _path(self, key: tuple[object, ...]) -> Path:
        name = hashlib.sha256(repr(key).encode()).hexdigest()
        return self.folder / name[:2] / f"{name[2:34]}.npy"

    def _write(self, path: Path, array: np.ndarray) -> None:
        buffer = memory.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        try:
            make_folder(path.parent)
            write_atomic(path, buffer.getvalue())
        except NuriError as error:
            self._writable = False
            _log.warning("%s; derived pictures are not kept", error.info.message)


def default_folder() -> Path:
    """$NURI_CACHE, or nuri/training in the user's cache folder."""
    if chosen := os.environ.get("NURI_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nuri" / "training"


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    state = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()

"""The kept outputs of a stream: one file with a record for each frame, in their order.

They are compressed: flat colours shrink to a hundredth, so that a whole shot finds room.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from . import records
from .records import Kept

_LEVEL = 1


def pack(frames: Sequence[bytes | memoryview]) -> list[bytes]:
    """Wire frames as `Reel.append` takes them."""
    return [zlib.compress(frame, _LEVEL) for frame in frames]


class Reel:
    """``kept``: what it holds; nothing until the first `append`, which begins the file anew."""

    def __init__(self, path: Path, kept: Kept) -> None:
        self.kept = kept
        self._path = path
        self._places: list[int] = []
        self._end = 0

    @classmethod
    def restore(cls, path: Path) -> Reel | None:
        """Takes up what an earlier daemon left, without an output that was half written.

        None for a file that holds nothing whole. Raises OSError when it cannot be read.
        """
        reel: Reel | None = None
        with open(path, "r+b") as file:
            while head := records.read_head(file):
                kept, sizes = head
                if reel is None:
                    reel = cls(path, kept)
                elif kept.job != reel.kept.job:
                    break
                reel._note(kept, file.seek(sum(sizes), os.SEEK_CUR))
            if reel is not None:
                file.truncate(reel._end)
        return reel

    def append(self, frames: Sequence[bytes], finished: float) -> None:
        """Adds an output. Raises OSError when it cannot be written; then all is as before."""
        size = sum(len(frame) for frame in frames)
        kept = replace(
            self.kept,
            finished=finished,
            bytes=self.kept.bytes + size,
            frames=self.kept.frames + 1,
        )
        mode = "ab" if self._places else "wb"
        with open(self._path, mode, buffering=0, opener=records.private) as file:
            try:
                records.write(file, kept, frames)
            except OSError:
                file.truncate(self._end)
                raise
            self._note(kept, file.tell())

    def load(self, index: int) -> list[bytes] | None:
        """The wire frames of an output, None for one that is not whole.

        Raises OSError and zlib.error when they cannot be read.
        """
        with open(self._path, "rb") as file:
            file.seek(self._places[index])
            head = records.read_head(file)
            return [zlib.decompress(file.read(size)) for size in head[1]] if head else None

    def _note(self, kept: Kept, end: int) -> None:
        self._places.append(self._end)
        self.kept, self._end = kept, end

"""What was worked out of pictures, so that another hint costs only what depends on hints."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import is_dataclass
from typing import Any, TypeVar

import numpy as np

# A page of 4096 px takes 37 MB, one of 8192 px 137 MB, a reference 10 to 20 MB.
LIMIT = 64 * 2**20

_Prepared = TypeVar("_Prepared")


class Workbench:
    """Kept by the content of the pictures: all that the newest job has used, and of what older jobs
    have left the newest, in ``limit`` bytes together.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: OrderedDict[bytes, Any] = OrderedDict()
        self._in_use: set[bytes] = set()

    def begin(self) -> None:
        """A new job: what the one before has used may go."""
        self._in_use.clear()

    def get(
        self, kind: str, pixels: np.ndarray, make: Callable[[], _Prepared], also: bytes = b""
    ) -> _Prepared:
        """What ``make`` gives for these pixels, and for what ``also`` it depends on, made once."""
        digest = hashlib.blake2b(f"{kind} {pixels.shape} {pixels.dtype}".encode(), digest_size=16)
        digest.update(np.ascontiguousarray(pixels).data)
        digest.update(also)
        key = digest.digest()
        self._in_use.add(key)
        if key not in self._kept:
            self._make_room()  # before, too: making needs more memory than what is made
            self._kept[key] = make()
            self._make_room()
        self._kept.move_to_end(key)
        found: _Prepared = self._kept[key]
        return found

    def clear(self) -> None:
        """Let go of everything."""
        self._kept.clear()
        self._in_use.clear()

    @property
    def held(self) -> int:
        """Bytes of all that is kept."""
        return _bytes_of(self._kept.values(), set())

    def _make_room(self) -> None:
        for key in [key for key in self._kept if key not in self._in_use]:
            if self.held <= self._limit:
                return
            del self._kept[key]


def _bytes_of(things: Iterable[Any], counted: set[int]) -> int:
    """Bytes of the arrays and tensors in containers and dataclasses, each once; no networks."""
    total = 0
    for thing in things:
        if id(thing) in counted:
            continue
        counted.add(id(thing))
        if hasattr(thing, "nbytes"):
            total += thing.nbytes
        elif isinstance(thing, (list, tuple)):
            total += _bytes_of(thing, counted)
        elif isinstance(thing, dict):
            total += _bytes_of(thing.values(), counted)
        elif is_dataclass(thing):
            total += _bytes_of(vars(thing).values(), counted)
    return total


WORKBENCH = Workbench()

"""The ZIP that a .kra or .ora file is: bounded reading of its parts and of its layer tree."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from xml.etree import ElementTree

from protocol.errors import ErrorCode, NuriError

from . import refusal

_MOST_PARTS = 65_535
_MOST_NESTING = 200
XML_BYTES = 32 * 1024 * 1024
PICTURE_BYTES = 2 * 1024 * 1024 * 1024
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    NotImplementedError,
    RuntimeError,  # zipfile's word for a part that wants a password
    ValueError,
    OSError,
)


@contextmanager
def _damage_named(file_name: str, part: str) -> Iterator[None]:
    try:
        yield
    except NuriError:
        raise
    except MemoryError as error:
        raise refusal.no_memory(file_name) from error
    except _BROKEN as error:
        raise refusal.damaged(file_name, f"{part}: {error!r}") from error


class Archive:
    """A .kra or .ora file held in memory. Every method raises bad_input for a broken part."""

    def __init__(self, data: bytes | memoryview, file_name: str) -> None:
        self.file_name = file_name
        with _damage_named(file_name, "list of parts"):
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            if len(self._zip.namelist()) > _MOST_PARTS:
                raise refusal.damaged(file_name, "too many parts")

    def __contains__(self, part: str) -> bool:
        return part in self._zip.NameToInfo

    def names(self) -> list[str]:
        return self._zip.namelist()

    def read(self, part: str, limit: int) -> bytes:
        """The content of a part, refused where it unpacks to more than ``limit`` bytes."""
        with _damage_named(self.file_name, part), self._open(part) as stream:
            content = stream.read(limit + 1)
            if len(content) > limit:
                raise NuriError(
                    ErrorCode.too_large,
                    f"{part} in {self.file_name} is larger than {limit} bytes",
                    "Check where the file comes from",
                )
            return content

    @contextmanager
    def stream(self, part: str) -> Iterator[io.BufferedReader]:
        """A part to be read piece by piece, so that its size needs no limit."""
        with _damage_named(self.file_name, part), self._open(part) as stream:
            yield io.BufferedReader(stream, 256 * 1024)  # type: ignore[arg-type]

    def _open(self, part: str) -> IO[bytes]:
        if part not in self:
            raise refusal.damaged(self.file_name, f"{part} is missing")
        return self._zip.open(part)

    def xml(self, part: str) -> ElementTree.Element:
        """The root of an XML part, its tags without name space."""
        text = self.read(part, XML_BYTES)
        # Nobody writes entities; they could unpack without end, and hide in other encodings.
        if b"<!ENTITY" in text or b"\0" in text:
            raise refusal.damaged(self.file_name, f"{part} declares entities or is not UTF-8")
        try:
            events = ElementTree.iterparse(io.BytesIO(text), ("start", "end"))
            depth = 0
            for kind, element in events:
                depth += 1 if kind == "start" else -1
                if depth > _MOST_NESTING:
                    raise refusal.damaged(self.file_name, f"{part} is nested too deeply")
                if kind == "start":
                    element.tag = str(element.tag).rpartition("}")[2]
            return events.root  # type: ignore[attr-defined]
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise refusal.damaged(self.file_name, f"{part}: {error}") from error


def number(element: ElementTree.Element, name: str, default: float, file_name: str) -> float:
    """An attribute as a finite number within +-2^31. Raises bad_input."""
    try:
        value = float(element.get(name, default))
    except ValueError:
        value = float("nan")
    if not abs(value) < 2**31:
        raise refusal.damaged(file_name, f"{name}={element.get(name)!r}")
    return value

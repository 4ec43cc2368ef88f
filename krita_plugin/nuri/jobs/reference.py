"""Colorize layer where networks see the colours: after references, soft, or of Nuri's choice."""

from __future__ import annotations

from typing import Any

from protocol.pixels import Plane

from .. import references
from ..document import when_idle
from ..pixels.colourspace import SRGB8, ColourSpace
from ..pixels.rows import Pixels, plane_of
from ..pixels.snapshot import Snapshot
from ..steps import Work
from .colorize import ColorizeJob


class ReferenceJob(ColorizeJob):
    """Runs a `Request` that `needs_srgb`: references and hints, if there are any, travel as sRGB.

    So colours of references and of hints are of one kind, whatever each document holds. Hints of
    an sRGB document of 16 bit keep their bits, so that they come back exact.
    """

    def _planes(self) -> Work:
        request = self.request
        document = yield from when_idle(request.document)
        uids = [uid for uid in (request.line, request.hints) if uid]
        with Snapshot(document, *uids, progress=self._say_reading, time=request.time) as snapshot:
            yield 0
            line = yield from snapshot.read_line(request.line)
            planes: list[Plane] = [plane_of("line", line)]
            if request.hints:
                own = ColourSpace.of(document)
                self.space = own if own.is_srgb and own.depth == "U16" else SRGB8
                hints = yield from snapshot.read_hints(request.hints, self.space)
                planes.append(plane_of("hints", hints))
            mask = snapshot.read_selection()
            if mask is not None:
                planes.append(plane_of("mask", mask))
            yield 0
        for index, reference in enumerate(request.references):
            self._say(self.fraction, f"Reading {reference.name}")
            # Elsewhere than in this document its own playhead says which frame is meant.
            time = request.time if reference.document == request.document else None
            planes.append((yield from references.read(reference, f"reference_{index}", time)))
        return line, planes

    def _space_of(self, colours: Pixels, document: Any) -> ColourSpace:
        return SRGB8 if colours.format == "rgba8" else self.space

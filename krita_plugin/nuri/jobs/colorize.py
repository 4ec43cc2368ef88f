"""Colorize layer: from reading the layers to the new layer."""

from __future__ import annotations

from typing import Any

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.pixels import Plane

from .. import preview
from ..daemon import Backend
from ..document import FOR_EVER, add_colours, remove_layer, when_idle
from ..pixels.colourspace import SRGB8, ColourSpace, travel_space
from ..pixels.hidden import HiddenCopy
from ..pixels.rows import Pixels, blue_first, plane_of
from ..pixels.samples import is_paper
from ..pixels.snapshot import Snapshot
from ..qt import QObject
from ..results import outdated, part_of
from ..steps import Work
from ..threads import JOBS, in_thread
from .layer_job import DAEMON_SHARE, READ_SHARE, LayerJob, Outcome, colours_of
from .request import Request, task_of


class ColorizeJob(LayerJob):
    """Runs one `Request`: colours for a line layer on a new layer.

    ``space``: of the hints as they travel, and of the colours for them. ``part``: of the canvas
    that is coloured, as in `results.AddedLayer`.
    """

    is_animation = False

    def __init__(self, backend: Backend, request: Request, parent: QObject | None = None) -> None:
        super().__init__(backend, parent)
        self.request = request
        self.space = SRGB8
        self.part = ""

    def _work(self) -> Work:
        request = self.request
        yield from when_idle(request.document)
        self._say(0.0, "Connecting to the backend")
        client = yield from self._backend.client()
        result, line = yield from self._result(client)
        self.kept = True
        self._say(READ_SHARE + DAEMON_SHARE, "Adding the layer")
        colours = colours_of(result.outputs)
        document = yield from when_idle(request.document)
        space = self._space_of(colours, document)
        if colours.format == "rgba8":
            colours = yield from blue_first(colours)
        on_paper = is_paper(line)
        yield 0
        document = yield from when_idle(request.document)
        with HiddenCopy(document) as hidden:
            picture = yield from preview.compose(hidden, line, colours, space, on_paper)
        # Large buffers go in steps of their own: handing back their memory takes time, too.
        del line
        yield 0
        layer = yield from add_colours(
            request.document, request.line, colours, on_paper, space, self._note_added
        )
        self.kept = False
        if request.earlier:
            self._say(self.fraction, "Removing the previous colours")
        for former in outdated(request.earlier, self.part):
            yield from remove_layer(request.document, former, FOR_EVER)
        info = result.info
        del result, colours
        yield 0
        return Outcome(layer, picture, info)

    def _result(self, client: Client) -> Work:
        """Sends the layers and waits; returns (`Result`, `Pixels` of the lines)."""
        line, planes = yield from self._planes()
        self.part = yield from in_thread(JOBS, part_of, planes)
        self._say(READ_SHARE, "Sending")
        self._job = self._submit(client, planes)
        self.job_id = self._job.id
        del planes
        self.submitted.emit()
        result = yield from self._answer(self._job)
        self._job = None
        return result, line

    def _planes(self) -> Work:
        """Reads the layers; returns (`Pixels` of the lines, what to send)."""
        request = self.request
        document = yield from when_idle(request.document)
        with Snapshot(
            document, request.line, request.hints, progress=self._say_reading, time=request.time
        ) as snapshot:
            yield 0
            line = yield from snapshot.read_line(request.line)
            self.space = travel_space(ColourSpace.of(document))
            hints = yield from snapshot.read_hints(request.hints, self.space)
            mask = snapshot.read_selection()
            yield 0
        planes = [plane_of("line", line), plane_of("hints", hints)]
        if mask is not None:
            planes.append(plane_of("mask", mask))
        return line, planes

    def _submit(self, client: Client, planes: list[Plane]) -> Job:
        task, options = task_of(self.request, client)
        return client.submit(task, planes, options, document=self.request.document)

    def _space_of(self, colours: Pixels, document: Any) -> ColourSpace:
        """Colours come back as the hints went; a backend that had no hints answers in sRGB.

        Raises `NuriError` bad_input: exact colours of the document's own space fit no more.
        """
        if colours.format == "rgba8":
            return SRGB8
        if travel_space(ColourSpace.of(document)) != self.space:
            raise NuriError(ErrorCode.bad_input, "The image has been converted meanwhile")
        return self.space

"""Jobs that make a new layer of one layer: colours of a grey painting, lines of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import ErrorCode, NuriError

from .. import layers, preview
from ..daemon import Backend
from ..document import LAYER_NAME, add_above, when_idle
from ..notice import Kind, Notice
from ..pixels.colourspace import ColourSpace
from ..pixels.hidden import HiddenCopy
from ..pixels.rows import plane_of
from ..pixels.snapshot import Snapshot
from ..qt import QObject
from ..steps import Work
from .layer_job import DAEMON_SHARE, READ_SHARE, LayerJob, Outcome, colours_of

LINES_NAME = "Lines"


@dataclass(frozen=True)
class Errand:
    """A task of the backend on one picture. ``output``: its result; ``layer``: the new layer.

    ``model_option``: the option that takes a model. ``done``: what to say at the end, after the
    name of the picture's layer. ``needs_colour``: of no use in a greyscale image.
    """

    task: str
    output: str
    layer: str
    model_option: str
    done: str
    needs_colour: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


GREY = Errand("greyscale", "picture", LAYER_NAME, "model", "is coloured", needs_colour=True)
LINES = Errand(
    "lines", "lines", LINES_NAME, "method", "has its lines", options={"ground": "transparent"}
)


@dataclass(frozen=True)
class PictureRequest:
    """What to do with which layer: identities of the document and the layer; ``model`` or "".

    ``time``: as in `jobs.Request`.
    """

    errand: Errand
    document: str
    layer: str
    model: str = ""
    time: int | None = None


class PictureJob(LayerJob):
    """Runs one `PictureRequest`: the result is a new layer directly above the picture's."""

    def __init__(
        self, backend: Backend, request: PictureRequest, parent: QObject | None = None
    ) -> None:
        super().__init__(backend, parent)
        self.request = request

    def _work(self) -> Work:
        request, errand = self.request, self.request.errand
        document = yield from when_idle(request.document)
        name = layers.require(document, request.layer).name()
        if errand.needs_colour and ColourSpace.of(document).model == "GRAYA":
            raise NuriError(
                ErrorCode.bad_input,
                "This image is greyscale, so it cannot show colours",
                "choose Image > Convert Image Color Space, Model: RGB, then do it again",
            )
        self._say(0.0, "Connecting to the backend")
        client = yield from self._backend.client()
        document = yield from when_idle(request.document)
        with Snapshot(
            document, request.layer, progress=self._say_reading, time=request.time
        ) as snapshot:
            yield 0
            picture, space = yield from snapshot.read_picture(request.layer)
            mask = snapshot.read_selection()
            yield 0
        self._say(READ_SHARE, "Sending")
        planes = [plane_of("picture", picture)]
        if mask is not None:
            planes.append(plane_of("mask", mask))
        options = {**errand.options, errand.model_option: request.model}
        self._job = client.submit(
            errand.task, planes, options, document=request.document, keep=False
        )
        self.job_id = self._job.id
        del picture, planes
        result = yield from self._answer(self._job)
        self._job = None
        self._say(READ_SHARE + DAEMON_SHARE, "Adding the layer")
        made = colours_of(result.outputs, errand.output)
        document = yield from when_idle(request.document)
        # Lines are ink in 8 bit, whatever the picture was.
        space = space._replace(depth="U16" if made.format.endswith("16") else "U8")
        with HiddenCopy(document) as hidden:
            image = yield from preview.on_white(hidden, made, space)
        layer = yield from add_above(
            request.document, request.layer, made, space, errand.layer, self._note_added
        )
        notice = Notice(Kind.done, f'"{name}" {errand.done}, on a new layer')
        return Outcome(layer, image, result.info, notice)

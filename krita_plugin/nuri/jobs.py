"""Jobs, from reading the layers to the new layer; they never block Krita's event loop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.pixels import PixelBuffer, Plane

from . import preview
from .colourspace import SRGB8, ColourSpace, travel_space
from .daemon import POLL_MS, Backend
from .document import FOR_EVER, add_colours, remove_layer, when_idle
from .hidden import HiddenCopy
from .notice import Notice
from .qt import QImage, QObject, pyqtSignal
from .references import Reference
from .results import AddedLayer, outdated, part_of
from .rows import Pixels, blue_first, plane_of
from .samples import is_paper
from .snapshot import Snapshot
from .steps import Steps, Work
from .threads import JOBS, in_thread

READ_SHARE, DAEMON_SHARE = 0.1, 0.8
FLATS, LAYER = "flats", "layer"  # tasks of the backend: regions alone, or with a network
CHOOSERS = ("choosing", "manga")  # need neither hints nor references; the first is proposed
PAINTERS = ("aaldc", "video")  # paint by the colours of references and hints


@dataclass(frozen=True)
class Request:
    """What to colour: identities of a document and two of its layers.

    ``earlier``: results for the lines, newest first; those that the new one takes over are removed
    once it is there.
    ``references``: coloured drawings to follow; with them, and with one of the CHOOSERS, ``hints``
    may be "". ``task``: of the backend, FLATS or LAYER; ``fill_unhinted`` is for FLATS, ``soft``
    and ``model`` are for LAYER, where "" lets the backend choose. ``time``: the frame of animated
    layers, None for the one that is shown when they are read.
    """

    document: str
    line: str
    hints: str
    fill_unhinted: bool = False
    earlier: tuple[AddedLayer, ...] = ()
    references: tuple[Reference, ...] = ()
    model: str = ""
    task: str = FLATS
    soft: bool = False
    time: int | None = None

    @property
    def replace(self) -> str:
        """Identity of the result that is removed where the whole canvas is coloured, or ""."""
        return self.earlier[0].layer if self.earlier else ""

    @property
    def needs_srgb(self) -> bool:
        """Whether a network has to understand the colours; hints alone keep those of any space."""
        return bool(self.references) or self.model in (*CHOOSERS, *PAINTERS)


@dataclass(frozen=True)
class Outcome:
    """A colouring that is in the document now.

    ``info``: what the daemon says about it; ``notice``: how to say it, where that is known here.
    """

    layer: str
    preview: QImage | None = None
    info: dict[str, Any] = field(default_factory=dict)
    notice: Notice | None = None


class LayerJob(QObject):
    """Work on layers of one document. ``fraction`` 0..1 and ``stage`` say how far it is.

    ``preview``: what it looks like so far. ``submitted``: the daemon has it as ``job_id``.
    ``added``: its layer, by identity, comes into the document; it is too late to cancel then.
    Ends with one of ``done`` (an `Outcome`) or ``failed`` (a `NuriError`); with ``kept`` the daemon
    still has the result then. Those that derive from it say in `_work` what is done.
    """

    changed = pyqtSignal()
    submitted = pyqtSignal()
    added = pyqtSignal(str)
    done = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, backend: Backend, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.fraction = 0.0
        self.stage = "Waiting for Krita"
        self.job_id = ""
        self.kept = False
        self.cancelling = False
        self.preview: QImage | None = None
        self._backend = backend
        self._job: Job | None = None
        self._is_adding = False
        self._steps = Steps(self._work(), self)
        self._steps.finished.connect(self.done)
        self._steps.failed.connect(self.failed)

    def start(self) -> None:
        self._steps.start()

    def cancel(self) -> None:
        """Stops it wherever it is; `failed` follows with the code cancelled.

        Too late as soon as the layer is being added; it ends as `done` then.
        """
        if self.cancelling or self._is_adding:
            return
        if self._job is not None and not self._job.is_finished:
            self.cancelling = True
            self._say(self.fraction, "Cancelling")
            self._job.cancel()
        elif self._steps.stop():
            self.cancelling = True
            self.failed.emit(_cancelled())

    def stop(self) -> None:
        """Ends it where it stands, without a word: Krita is about to end."""
        self._steps.stop()

    def _work(self) -> Work:
        """What is done, in steps; returns `Outcome`. Raises `NuriError`."""
        raise NotImplementedError

    def _answer(self, job: Job, shares: tuple[float, float] = (READ_SHARE, DAEMON_SHARE)) -> Work:
        """Waits for the daemon; returns `Result`. Raises `NuriError`: why there is none.

        ``shares`` of all the work: what is done before, and what this is.
        """
        start, whole = shares
        while not job.is_finished:
            yield POLL_MS
            self._backend.poll()
            if job.progress is not None and not self.cancelling:
                share = whole * job.progress.fraction
                self._say(start + share, job.progress.stage or "Colouring")
            elif job.state == "queued" and not self.cancelling:
                self._say(start, "Waiting for the backend")
        if self.cancelling:
            raise _cancelled()
        return job.result(timeout=0)

    def _note_added(self, layer: str) -> None:
        self._is_adding = True
        self.added.emit(layer)

    def _say_reading(self, part: float) -> None:
        self._say(READ_SHARE * part, "Reading the layers")

    def _say(self, fraction: float, stage: str) -> None:
        """Tells of whole percents alone: each telling redraws the docker."""
        is_news = (round(100 * fraction), stage) != (round(100 * self.fraction), self.stage)
        self.fraction, self.stage = fraction, stage
        if is_news:
            self.changed.emit()


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


def colours_of(planes: Iterable[Plane], name: str = "flats") -> Pixels:
    """One picture of a result. Raises `NuriError` internal when there is none."""
    for plane in planes:
        if isinstance(plane, PixelBuffer) and plane.name == name:
            size = plane.width, plane.height
            return Pixels(plane.x, plane.y, *size, plane.format.value, plane.data)
    raise NuriError(
        ErrorCode.internal,
        "The backend answered without colours",
        "update the plugin and the backend to the same version of Nuri",
    )


def task_of(request: Request, client: Client) -> tuple[str, dict[str, Any]]:
    """The task of a request and its options; an older backend spreads hints without the matcher.

    Raises `NuriError` unsupported: it does not know references.
    """
    task = request.task
    if task == LAYER and not knows(client, LAYER):
        if request.references:
            raise NuriError(
                ErrorCode.unsupported,
                "This backend cannot colour after references",
                "update the backend to the version of the plugin",
            )
        task = FLATS
    options: dict[str, Any] = {"outputs": ["flats"]}
    if task == LAYER:
        return task, options | {"model": request.model, "soft": request.soft}
    return task, options | {"fill_unhinted": request.fill_unhinted}


def knows(client: Client, task: str) -> bool:
    """Whether the backend may know a task: it is older than the plugin where it does not."""
    welcome = client.welcome
    # The list is empty while the backend does not know it yet.
    return welcome is None or not welcome.tasks or task in welcome.tasks


def _cancelled() -> NuriError:
    return NuriError(ErrorCode.cancelled, "Colouring cancelled; nothing was changed")

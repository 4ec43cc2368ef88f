"""What all jobs share: steps, progress, cancel, waiting for the daemon; Krita never waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.pixels import PixelBuffer, Plane

from ..daemon import POLL_MS, Backend
from ..notice import Notice
from ..pixels.rows import Pixels
from ..qt import QImage, QObject, pyqtSignal
from ..steps import Steps, Work

READ_SHARE, DAEMON_SHARE = 0.1, 0.8


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


def _cancelled() -> NuriError:
    return NuriError(ErrorCode.cancelled, "Colouring cancelled; nothing was changed")

"""Live: a preview in the docker that follows the hints; nothing in the document changes."""

from __future__ import annotations

import zlib
from typing import Any

from krita import Krita

from protocol.errors import ErrorCode, NuriError

from . import layers
from .daemon import State
from .desk import Desk
from .desks import Desks
from .document import find_document, key_of
from .jobs.preview import PreviewJob
from .qt import QGuiApplication, QObject, QRect, Qt, QTimer, QWidget, sip
from .settings import COLOURING
from .steps import Steps, Work

FLAG = "live"
_LOOK_MS = 400
# Looking at the hints may take this share of the time at most.
_REST = 10
_STEP_PIXELS = 2**19
# Another request took its place, or the daemon is full: worth another try by itself.
_PASSING = (ErrorCode.cancelled, ErrorCode.superseded, ErrorCode.busy)


class Live(QObject):
    """Looks every `_LOOK_MS` whether the hints have changed, since Krita has no signal for it.

    Only while it is switched on, one of the ``viewers`` can be seen, no button of the mouse is
    held, and no job of the artist's is running. The latest request wins.
    """

    def __init__(self, desks: Desks) -> None:
        super().__init__(desks)
        self._desks = desks
        self._viewers: list[QWidget] = []
        self._job: PreviewJob | None = None
        self._look: Steps | None = None
        self._setting: tuple[Any, ...] = ()
        self._layers = "", ""  # identities of lines and hints that belong to the setting
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tick)
        Krita.instance().notifier().applicationClosing.connect(self.stop)

    @property
    def is_on(self) -> bool:
        return self._desks.flag(FLAG)

    @property
    def is_busy(self) -> bool:
        """True while a preview is being made."""
        return self._job is not None

    def switch(self, is_on: bool) -> None:
        """Krita remembers it. Off: what is under way ends, and the docker shows the last result."""
        self._desks.set_flag(FLAG, is_on)
        if is_on:
            self.wake()
        else:
            self.stop()
            self._desks.desk().live_key = None
        self._desks.changed.emit()

    def add_viewer(self, widget: QWidget) -> None:
        """Its picture is worth making while ``widget`` can be seen."""
        self._viewers.append(widget)

    def wake(self) -> None:
        """A viewer can be seen, or Live has been switched on."""
        if self.is_on and not self._timer.isActive() and self._look is None:
            self._timer.start(_LOOK_MS)

    def stop(self) -> None:
        """Stops looking and what is under way."""
        self._timer.stop()
        self._end_look()
        self.stop_job()

    def stop_job(self) -> None:
        """The artist's own job begins, or the preview is of no use any more."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _tick(self) -> None:
        self._viewers = [viewer for viewer in self._viewers if not sip.isdeleted(viewer)]
        if not self.is_on or not any(viewer.isVisible() for viewer in self._viewers):
            self.stop_job()
            return  # until `wake`
        if self._job is not None and find_document(self._job.request.document) is None:
            self.stop_job()
        desk = self._desks.desk()
        document = Krita.instance().activeDocument()
        is_free = QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton
        is_free = is_free and desk.job is None and document is not None and bool(desk.document)
        if not is_free or self._desks.backend.state is State.starting:
            self._timer.start(_LOOK_MS)
            return
        self._look = Steps(self._watch(document, desk), self)
        self._look.finished.connect(lambda milliseconds: self._rest(milliseconds))
        self._look.failed.connect(lambda error: self._rest(0, desk, error))
        self._look.start()

    def _rest(self, milliseconds: int, desk: Desk | None = None, error: Any = None) -> None:
        self._end_look()
        if desk is not None and error is not None:
            self._say(desk, error)
        self._timer.start(max(_LOOK_MS, milliseconds))

    def _end_look(self) -> None:
        look, self._look = self._look, None
        if look is not None:
            look.stop()
            look.deleteLater()

    def _watch(self, document: Any, desk: Desk) -> Work:
        """Starts a preview where something has changed; returns how long to rest, in ms."""
        steps = 0
        setting = self._setting_of(document, desk)
        # A layer that Nuri knows by its looks is none before something is drawn on it.
        if setting != self._setting or not all(self._layers):
            line = self._desks.line_layer(document)
            steps += 1
            yield 0
            hint = self._desks.hint_layer(document, line)
            self._layers = layers.uid_of(line) if line else "", layers.uid_of(hint) if hint else ""
            self._setting = setting
            steps += 1
            yield 0
        seen: list[Any] = [setting[0], self._layers, setting[3:]]
        hint = layers.find(document, self._layers[1]) if self._layers[1] else None
        for part in layers.pictures(hint) if hint is not None else ():
            canvas = QRect(0, 0, document.width(), document.height())
            box = part.bounds().intersected(canvas)
            seen.append((layers.uid_of(part), part.opacity(), part.blendingMode()))
            seen.append((box.x(), box.y(), box.width(), box.height()))
            read, check = layers.reader(part), 0
            rows = max(1, _STEP_PIXELS // max(1, box.width()))
            for y in range(box.y(), box.y() + box.height(), rows):
                count = min(rows, box.y() + box.height() - y)
                check = zlib.crc32(read(box.x(), y, box.width(), count), check)
                steps += 1
                yield 0
                if QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
                    return 0
            seen.append(check)
        key = tuple(seen)
        is_active = self._desks.desk() is desk
        if key != desk.live_key and is_active and desk.job is None and self._look is not None:
            desk.live_key = key
            self._begin(desk, self._desks.request(document))
        return 10 * _REST * steps

    def _setting_of(self, document: Any, desk: Desk) -> tuple[Any, ...]:
        """What decides which layers are meant, then from 3 on what else decides the colours."""
        active = document.activeNode()
        tree = tuple(layers.uid_of(node) for node, _ in layers.walk(document.rootNode()))
        chosen = desk.line, desk.hints, layers.uid_of(active) if active else ""
        desks = self._desks
        flags = desks.flag("fill_unhinted"), desks.flag("soft")
        colouring = desks.model(COLOURING), *flags, tuple(desk.references)
        return key_of(document), tree, chosen, *colouring

    def _begin(self, desk: Desk, request: Any) -> None:
        self.stop_job()
        self._job = job = PreviewJob(self._desks.backend, request, self)
        job.done.connect(lambda outcome: self._finish(desk, job, outcome.preview, None))
        job.failed.connect(lambda error: self._finish(desk, job, None, error))
        job.start()

    def _finish(self, desk: Desk, job: PreviewJob, picture: Any, error: NuriError | None) -> None:
        job.deleteLater()
        if self._job is not job:
            return  # a newer one has taken its place, or it was stopped
        self._job = None
        if error is not None:
            self._say(desk, error)
            return
        desk.live, desk.live_note = picture, ""
        self._desks.changed.emit()

    def _say(self, desk: Desk, error: NuriError) -> None:
        """In the docker alone, without a notice: the artist is drawing."""
        if error.code in _PASSING:
            desk.live_key = None
            return
        desk.live, desk.live_note = None, f"{error.info.message}; {error.info.action}".strip("; ")
        self._desks.changed.emit()

"""What Krita's open documents have on their desks, and what a run there would colour."""

from __future__ import annotations

from typing import Any

from krita import Krita

from protocol.errors import ErrorCode, NuriError

from . import guess, hints, layers
from .choices import animation_request, layer_request
from .daemon import Backend
from .desk import Desk
from .document import find_document, key_of
from .jobs.request import Request
from .notice import Notice
from .qt import QObject, pyqtSignal
from .results import Results
from .settings import Settings
from .steps import Steps
from .teaching.lessons import Lesson, pages


class Desks(Settings):
    """``changed`` tells dockers to show the state anew.

    ``noticed`` carries each new `Notice`, for a message on the canvas while no docker is open.
    """

    changed = pyqtSignal()
    noticed = pyqtSignal(object)

    def __init__(self, backend: Backend, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.backend = backend
        self.backend.changed.connect(self.changed)
        self.results = Results()
        self._desks: dict[str, Desk] = {}
        self._idle_desk = Desk()

    def desk(self) -> Desk:
        """The state of the active document; a desk of its own while there is none."""
        document = Krita.instance().activeDocument()
        if document is None or document.rootNode() is None:
            return self._idle_desk
        return self._desk_of(document)

    def _desk_of(self, document: Any) -> Desk:
        key = key_of(document)
        if key not in self._desks:
            self._desks = {old: desk for old, desk in self._desks.items() if find_document(old)}
            self._desks[key] = Desk(key)
        return self._desks[key]

    @property
    def is_busy(self) -> bool:
        """Whether a layer is being coloured in any document."""
        return any(desk.job for desk in self._desks.values())

    def line_layer(self, document: Any) -> Any | None:
        """The line layer: the chosen one, else the most likely one, else None."""
        desk = self._desk_of(document)
        node = layers.find(document, desk.line) if desk.line else None
        return node or guess.line_layer(document, desk.hints, self.results_of(document))

    def hint_layer(self, document: Any, line: Any | None) -> Any | None:
        """The hint layer, chosen or likely, or None."""
        uid = layers.uid_of(line) if line is not None else ""
        try:
            return hints.find(document, self.desk().hints, uid, self.results_of(document))
        except NuriError:
            return None

    def results_of(self, document: Any) -> list[str]:
        """Identities of the layers that Nuri added to this document: never lines or hints of a next
        run.
        """
        return self.results.layers(key_of(document))

    def active_document(self) -> Any:
        """Raises `NuriError` where none is open."""
        document = Krita.instance().activeDocument()
        if document is None:
            raise NuriError(
                ErrorCode.bad_input, "No document is open", "open a drawing with lines first"
            )
        return document

    def lines(self, document: Any) -> Any:
        """The line layer. Raises `NuriError` where it is neither chosen nor likely."""
        line = self.line_layer(document)
        if line is None:
            raise NuriError(
                ErrorCode.bad_input,
                "Nuri cannot tell which layer holds the lines",
                "choose it in the Nuri docker, or name it Lines",
            )
        return line

    def request(self, document: Any, model: str = "") -> Request:
        """What Colorize layer does in the active document. Raises `NuriError`: why it cannot."""
        line = self.lines(document)
        return layer_request(self, self.desk(), document, line, self.results, model)

    def animation_request(self) -> Request:
        """What Colorize animation does in the active document. Raises `NuriError`: why not."""
        document = self.active_document()
        line = self.lines(document)
        return animation_request(self, self.desk(), document, line, self.results)

    def lessons(self, key: str) -> tuple[list[Lesson], bool]:
        """What a style is taught on: coloured frames of a document where its lines are animated,
        else the open pages; and whether it is pages. Raises `NuriError`: why nothing.
        """
        document = find_document(key) if key else self.active_document()
        if document is None:
            raise NuriError(
                ErrorCode.not_found,
                "The document that the style was to be taught on has been closed",
                "open it, and choose Teach this style there",
            )
        line = self.lines(document)
        if not layers.is_animated(line):
            own = self.results.by_document()
            return pages(Krita.instance().documents(), self._desks, own), True
        asked = animation_request(self, self._desk_of(document), document, line, self.results)
        return [Lesson(asked.document, asked.line, asked.hints)], False

    def connect_backend(self) -> None:
        """Starts the backend or connects to it, so that it can say what it has."""
        steps = Steps(self.backend.client(), self)
        steps.failed.connect(lambda error: self.tell(self.desk(), Notice.of(error)))
        for end in (steps.finished, steps.failed):
            end.connect(steps.deleteLater)
        steps.start()

    def tell(self, desk: Desk, notice: Notice) -> None:
        """Shows a notice of a document, or where the artist is now if that has been closed."""
        desk.notice = notice
        if desk.document and find_document(desk.document) is None:
            self.desk().notice = notice
        self.noticed.emit(notice)
        self.changed.emit()

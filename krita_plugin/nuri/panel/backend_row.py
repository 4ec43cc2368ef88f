"""The first row of the docker: is the backend there, and where does it compute."""

from __future__ import annotations

from krita import Krita

from ..daemon import Backend, State
from ..qt import QColor, QHBoxLayout, QLabel, QMenu, QPainter, QPixmap, Qt, QToolButton, QWidget

_DOT = 10
_COLOURS = {
    State.missing: "#d9534f",
    State.failed: "#d9534f",
    State.stopped: "#8a8a8a",
    State.starting: "#e0a030",
    State.ready: "#4caf50",
}


class BackendRow(QWidget):
    """A coloured dot, one line of text, and a menu for what can be done about it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_backend_row")
        self._dot = QLabel(self)
        self._dot.setObjectName("nuri_backend_dot")
        self._text = QLabel(self)
        self._text.setObjectName("nuri_backend_state")
        self._button = QToolButton(self)
        self._button.setObjectName("nuri_backend_menu_button")
        self._button.setIcon(Krita.instance().icon("configure-thicker"))
        self._button.setAutoRaise(True)
        self._button.setToolTip("Log, installation, choice of the backend")
        self._button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.menu.setObjectName("nuri_backend_menu")
        self._button.setMenu(self.menu)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._dot)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._button)

    def show_state(self, backend: Backend) -> None:
        self._dot.setPixmap(_dot(_COLOURS[backend.state], self.devicePixelRatioF()))
        self._text.setText(_words(backend))
        self._text.setToolTip(str(backend.error) if backend.error else "")


def _words(backend: Backend) -> str:
    return {
        State.missing: "Backend not installed",
        State.failed: "Backend not usable",
        State.stopped: "Backend starts when needed",
        State.starting: "Backend is starting…",
        State.ready: f"Ready on {'CPU' if backend.device == 'cpu' else backend.device}",
    }[backend.state]


def _dot(colour: str, ratio: float) -> QPixmap:
    pixmap = QPixmap(round(_DOT * ratio), round(_DOT * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(1, 1, _DOT - 2, _DOT - 2)
    painter.end()
    return pixmap

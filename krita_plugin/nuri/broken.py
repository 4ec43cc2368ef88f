"""The docker and the menu entries while the plugin cannot work: they say why, and the remedy."""

from __future__ import annotations

from typing import Any

from krita import DockWidget, DockWidgetFactory, Extension, Krita

from .qt import DOCK_RIGHT, QFrame, QIcon, QLabel, QScrollArea, Qt

_MESSAGE_MS = 8000
_MESSAGE_PRIORITY = 1
_MARGIN = 6
_MINIMUM_HEIGHT = 130


class _BrokenExtension(Extension):
    text = ""

    def setup(self) -> None:
        """Nothing to prepare."""

    def createActions(self, window: Any) -> None:  # noqa: N802 - Krita's name
        action = window.createAction("nuri_colorize_layer", "Nuri: Colorize layer", "tools/scripts")
        action.triggered.connect(self._say)

    def _say(self) -> None:
        view = Krita.instance().activeWindow().activeView()
        view.showFloatingMessage(self.text, QIcon(), _MESSAGE_MS, _MESSAGE_PRIORITY)


class _BrokenDocker(DockWidget):
    text = ""
    detail = ""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Nuri")
        label = QLabel(self.text, self)
        label.setObjectName("nuri_broken_reason")
        label.setWordWrap(True)
        label.setToolTip(self.detail)
        label.setMargin(_MARGIN)
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        scroll = QScrollArea(self)
        scroll.setObjectName("nuri_broken")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setMinimumHeight(_MINIMUM_HEIGHT)
        scroll.setWidget(label)
        self.setWidget(scroll)

    def canvasChanged(self, canvas: Any) -> None:  # noqa: N802 - Krita's name
        """Nothing depends on the canvas."""


def register(reason: str, remedy: str, detail: str = "") -> None:
    """Puts the reason where the artist looks for Nuri."""
    _BrokenExtension.text = _BrokenDocker.text = f"{reason}\n\n{remedy}"
    _BrokenDocker.detail = detail
    krita = Krita.instance()
    krita.addExtension(_BrokenExtension(krita))
    krita.addDockWidgetFactory(DockWidgetFactory("nuri_docker", DOCK_RIGHT, _BrokenDocker))

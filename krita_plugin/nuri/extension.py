"""Registers the menu entries and the docker with Krita; nothing else."""

from __future__ import annotations

from typing import Any

from krita import DockWidgetFactory, Extension, Krita

from . import threads
from .actions import Actions
from .daemon import Backend
from .jobs.layer_job import LayerJob
from .notice import Notice
from .panel.docker import NuriDocker
from .panel.teach_dialog import TeachDialog
from .pixels import workbench
from .qt import DOCK_RIGHT, QAction, QIcon, QMenu

DOCKER_ID = "nuri_docker"
_MENU = "tools/scripts"
_MESSAGE_MS = 5000
_MESSAGE_PRIORITY = 1


class NuriExtension(Extension):
    """Tools > Scripts > Nuri, in every window."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self.backend = Backend(self)
        self.actions = Actions(self.backend, self)
        self.actions.noticed.connect(_show_on_canvas)
        self._dialog: TeachDialog | None = None

    def setup(self) -> None:
        NuriDocker.commands = self.actions
        notifier = Krita.instance().notifier()
        notifier.setActive(True)
        notifier.applicationClosing.connect(self._close)

    def createActions(self, window: Any) -> None:  # noqa: N802 - Krita's name
        menu = QMenu("Nuri", window.qwindow())
        menu.setObjectName("nuri_menu")
        window.createAction("nuri_menu", "Nuri", _MENU).setMenu(menu)
        entries = (
            ("nuri_colorize_layer", "Colorize layer", self.actions.colorize_layer),
            (
                "nuri_colorize_animation",
                "Colorize animation",
                self.actions.colorize_animation,
            ),
            ("nuri_teach_style", "Teach this style…", self._ask_style),
            ("nuri_mark_doubtful", "Mark doubtful areas", self.actions.mark_doubtful),
            ("nuri_colorize_grey", "Colorize grey painting", self.actions.colorize_grey),
            ("nuri_extract_lines", "Extract lines", self.actions.extract_lines),
            ("nuri_new_hint_layer", "New hint layer", self.actions.new_hint_layer),
            ("nuri_cancel_colouring", "Cancel colouring", self.actions.cancel),
        )
        for name, text, slot in entries:
            action: QAction = window.createAction(name, text, "")
            action.triggered.connect(lambda checked=False, slot=slot: slot())
            menu.addAction(action)

    def _ask_style(self) -> None:
        krita = Krita.instance()
        # Wrappers that nobody holds go away: that of the window has, and ours would.
        self._dialog = TeachDialog(
            self.actions, krita.activeDocument(), krita.activeWindow().qwindow()
        )
        self._dialog.show()

    def _close(self) -> None:
        # Copies of documents may not outlive Krita's own, nor temporary files Krita.
        for job in self.actions.findChildren(LayerJob):
            job.stop()
        workbench.close()
        self.backend.close()
        threads.close()


def register() -> None:
    """Called once, when Krita loads the plugin."""
    krita = Krita.instance()
    extension = NuriExtension(krita)
    krita.addExtension(extension)
    krita.addDockWidgetFactory(DockWidgetFactory(DOCKER_ID, DOCK_RIGHT, NuriDocker))


def _show_on_canvas(notice: Notice) -> None:
    """A message over the canvas, while no docker of ours is open to show it."""
    if any(docker.isVisible() for docker in NuriDocker.open_dockers()):
        return
    window = Krita.instance().activeWindow()
    view = window.activeView() if window else None
    if view is not None:
        text = f"Nuri: {notice.message}" + (f"\n{notice.remedy}" if notice.remedy else "")
        view.showFloatingMessage(text, QIcon(), _MESSAGE_MS, _MESSAGE_PRIORITY)

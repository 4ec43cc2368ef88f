"""The buttons that start a colouring; while one runs, its progress and a way to stop it."""

from __future__ import annotations

from krita import Krita

from ..jobs.layer_job import LayerJob
from ..qt import QHBoxLayout, QProgressBar, QPushButton, QStackedWidget, QToolButton, QWidget

_STEPS = 1000


class RunRow(QStackedWidget):
    """``button``, ``animation_button`` and ``cancel_button`` are for the docker to connect."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_run_row")
        idle = QWidget(self)
        idle.setObjectName("nuri_idle")
        self.button = QPushButton("Colorize layer", idle)
        self.button.setObjectName("nuri_colorize_button")
        self.button.setToolTip(
            "Colours the lines from the hints, on a new layer under the lines. One undo removes it."
        )
        self.animation_button = QPushButton("Animation", idle)
        self.animation_button.setObjectName("nuri_animation_button")
        self.animation_button.setToolTip(
            "Colours all frames of the lines from those that are coloured on the hint layer, "
            "on a new layer. One undo removes it."
        )
        self.animation_button.hide()
        row = QHBoxLayout(idle)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button, 1)
        row.addWidget(self.animation_button, 1)
        running = QWidget(self)
        running.setObjectName("nuri_running")
        self._bar = QProgressBar(running)
        self._bar.setObjectName("nuri_progress")
        self._bar.setRange(0, _STEPS)
        self.cancel_button = QToolButton(running)
        self.cancel_button.setObjectName("nuri_cancel_button")
        self.cancel_button.setIcon(Krita.instance().icon("process-stop"))
        self.cancel_button.setText("Cancel")
        self.cancel_button.setToolTip("Stop; your layers stay as they are")
        layout = QHBoxLayout(running)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._bar, 1)
        layout.addWidget(self.cancel_button)
        self.addWidget(idle)
        self.addWidget(running)
        self.setMaximumHeight(self.sizeHint().height())

    def show_job(self, job: LayerJob | None, can_start: bool) -> None:
        self.button.setEnabled(can_start)
        self.animation_button.setEnabled(can_start)
        self.setCurrentIndex(0 if job is None else 1)
        if job is not None:
            self._bar.setValue(round(job.fraction * _STEPS))
            self._bar.setFormat(f"{job.stage[:1].upper()}{job.stage[1:]}  %p%")
            self.cancel_button.setEnabled(not job.cancelling)

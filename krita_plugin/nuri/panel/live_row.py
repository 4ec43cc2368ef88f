"""The switch of Live, and quietly what is in its way."""

from __future__ import annotations

from ..live import Live
from ..qt import QCheckBox, QLabel, QSizePolicy, Qt, QVBoxLayout, QWidget


class LiveRow(QWidget):
    """A check box; under it one line, only while there is something to say."""

    def __init__(self, live: Live, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_live_row")
        self._box = QCheckBox("Live", self)
        self._box.setObjectName("nuri_live")
        self._box.setToolTip(
            "Shows a small preview here after each stroke on the hint layer; your document stays "
            "as it is until you choose Colorize layer"
        )
        self._box.setChecked(live.is_on)
        self._box.toggled.connect(live.switch)
        self._note = QLabel(self)
        self._note.setObjectName("nuri_live_note")
        self._note.setWordWrap(True)
        self._note.setEnabled(False)
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._note.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._box)
        layout.addWidget(self._note)

    def show_state(self, live: Live, note: str) -> None:
        """``note``: why there is no preview, or ""."""
        if self._box.isChecked() != live.is_on:
            self._box.setChecked(live.is_on)  # switched in the docker of another window
        self._note.setText(note)
        self._note.setVisible(live.is_on and bool(note))

"""The doubtful frames of an animation: each a row that leads to it, as long as they are there."""

from __future__ import annotations

from krita import Krita

from ..qt import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
    pyqtSignal,
)
from ..timeline import show, show_next

_ROWS = 4  # seen at once; the others are reached by scrolling
_MOST_AREAS = 32  # the backend counts no more in a frame
_TIME = Qt.ItemDataRole.UserRole


class DoubtsList(QWidget):
    """Hidden without doubtful frames. ``marks_wanted``: the artist wants the areas marked."""

    marks_wanted = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_doubts")
        self._shown: list[tuple[int, int]] = []
        self._title = QLabel(self)
        self._title.setObjectName("nuri_doubts_title")
        following = self._button("next", "arrow-right", "Show the next one")
        following.clicked.connect(self._show_next)
        marks = self._button("mark", "paintLayer", "Mark the areas on a layer of their own")
        marks.clicked.connect(self.marks_wanted)
        self._list = QListWidget(self)
        self._list.setObjectName("nuri_doubts_list")
        self._list.setToolTip("Some areas of these frames have no good match. Click to look at one")
        for chosen in (self._list.itemClicked, self._list.itemActivated):
            chosen.connect(lambda item: show(item.data(_TIME)))
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(following)
        head.addWidget(marks)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self._list)
        self.hide()

    def show_doubts(self, doubts: list[tuple[int, int]]) -> None:
        """``doubts``: of `doubts.listed`."""
        self.setVisible(bool(doubts))
        if doubts == self._shown:
            return
        self._shown = doubts
        self._title.setText(f"Doubtful frames: {len(doubts)}")
        self._list.clear()
        for time, areas in doubts:
            item = QListWidgetItem(f"Frame {time}: {_counted(areas)}", self._list)
            item.setData(_TIME, time)
        height = self._list.sizeHintForRow(0) * min(_ROWS, len(doubts))
        self._list.setFixedHeight(height + 2 * self._list.frameWidth())

    def _show_next(self) -> None:
        times = [time for time, _ in self._shown]
        time = show_next(times)
        if time is not None:
            self._list.setCurrentRow(times.index(time))

    def _button(self, name: str, icon: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"nuri_doubts_{name}")
        button.setIcon(Krita.instance().icon(icon))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        return button


def _counted(areas: int) -> str:
    if areas >= _MOST_AREAS:
        return f"{areas} areas or more"
    return f"{areas} area{'s' if areas != 1 else ''}"

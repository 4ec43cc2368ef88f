"""A list of the document's layers with "let Nuri choose" on top."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import layers
from ..qt import QComboBox, QSizePolicy, Qt, QWidget, pyqtSignal

_INDENT = "    "


class LayerChoice(QComboBox):
    """``chosen`` carries the identity of the layer that the artist picked, "" for automatic."""

    chosen = pyqtSignal(str)

    def __init__(self, name: str, refresh: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._refresh = refresh
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))

    def showPopup(self) -> None:  # noqa: N802 - Qt's name
        self._refresh()
        super().showPopup()

    def wheelEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        # Scrolling the docker must not choose another layer by accident.
        event.ignore()

    def show_layers(self, nodes: list[tuple[Any, int]], chosen: str, likely: Any | None) -> None:
        """``nodes``: layers with their depth, top first; ``likely``: what automatic would take."""
        automatic = f"Automatic: {likely.name()}" if likely is not None else "Automatic: none"
        if not nodes:
            automatic = "No drawing is open"
        entries = [(automatic, "")]
        entries += [(_INDENT * depth + node.name(), layers.uid_of(node)) for node, depth in nodes]
        uids = [uid for _, uid in entries]
        if [(self.itemText(i), self.itemData(i)) for i in range(self.count())] != entries:
            self.clear()
            for text, uid in entries:
                self.addItem(text, uid)
        self.setCurrentIndex(uids.index(chosen) if chosen in uids else 0)

"""One reference in the docker: its thumbnail, its name, and a button that removes it."""

from __future__ import annotations

from typing import Any

from krita import Krita

from ..qt import (
    QFrame,
    QHBoxLayout,
    QImage,
    QLabel,
    QPixmap,
    QSizePolicy,
    Qt,
    QToolButton,
    QWidget,
    pyqtSignal,
)
from ..references import Kind, Reference
from ..steps import Steps
from ..thumbnails import thumbnail

_SIDE = 32


class ReferenceEntry(QFrame):
    """Shows the name at once and the thumbnail when there is one. ``removed``: by its button."""

    removed = pyqtSignal()

    def __init__(self, reference: Reference, parent: QWidget) -> None:
        super().__init__(parent)
        self._picture = QLabel(self)
        self._picture.setFixedSize(_SIDE, _SIDE)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._picture.setPixmap(Krita.instance().icon("document-open").pixmap(_SIDE // 2))
        self._name = name = _Name(reference.name, self)
        path = f"\n{reference.key}" if reference.kind is Kind.file else ""
        name.setToolTip(f"The {reference.kind.value} {reference.name}{path}")
        self._remove = QToolButton(self)
        self._remove.setIcon(Krita.instance().icon("deletelayer"))
        self._remove.setAutoRaise(True)
        self._remove.setToolTip("Remove this reference")
        self._remove.clicked.connect(self.removed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._picture)
        layout.addWidget(name, 1)
        layout.addWidget(self._remove)
        # One that fails leaves the icon: what is wrong with a file is said when it is needed.
        self._looking = Steps(thumbnail(reference), self)
        self._looking.finished.connect(self._show)
        self._looking.start()

    def set_number(self, number: int) -> None:
        """Its place in the list, from 0."""
        self.setObjectName(f"nuri_reference_{number}")
        self._picture.setObjectName(f"nuri_reference_picture_{number}")
        self._name.setObjectName(f"nuri_reference_name_{number}")
        self._remove.setObjectName(f"nuri_remove_reference_{number}")

    def leave(self) -> None:
        """Goes away; what is being read for it is of no use any more."""
        self._looking.stop()
        self.hide()
        self.deleteLater()

    def _show(self, image: QImage) -> None:
        if image.isNull():
            return
        ratio = self.devicePixelRatioF()
        side = round(_SIDE * ratio)
        keep = Qt.AspectRatioMode.KeepAspectRatio
        smooth = Qt.TransformationMode.SmoothTransformation
        pixmap = QPixmap.fromImage(image.scaled(side, side, keep, smooth))
        pixmap.setDevicePixelRatio(ratio)
        self._picture.setPixmap(pixmap)


class _Name(QLabel):
    """As much of a name as there is room for; a long one must not widen the docker."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(name, parent)
        self._name = name
        # What stands between < and > in a name is no markup.
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        metrics = self.fontMetrics()
        self.setText(metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, self.width()))

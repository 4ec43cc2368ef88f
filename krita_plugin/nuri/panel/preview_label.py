"""The small picture of the last result, as large as the docker has room for."""

from __future__ import annotations

from typing import Any

from ..qt import QImage, QPainter, QRect, QSize, QSizePolicy, Qt, QWidget

# It takes all room that is left; asking for more would make a low docker scroll.
_MINIMUM = 48


class PreviewLabel(QWidget):
    """Paints an image centred, keeping its proportions, never larger than it is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_preview")
        self.setToolTip("The last result")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(_MINIMUM)
        self._image: QImage | None = None
        self.hide()

    def show_image(self, image: QImage | None) -> None:
        self._image = image
        self.setVisible(image is not None)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(_MINIMUM, _MINIMUM)

    def paintEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        if self._image is None:
            return
        ratio = self.devicePixelRatioF()
        room = QSize(round(self.width() * ratio), round(self.height() * ratio))
        size = self._image.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        size = size.boundedTo(self._image.size())
        shown = self._image.scaled(
            size,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        target = QRect(0, 0, round(size.width() / ratio), round(size.height() / ratio))
        target.moveCenter(self.rect().center())
        painter = QPainter(self)
        painter.drawImage(target, shown)
        painter.end()

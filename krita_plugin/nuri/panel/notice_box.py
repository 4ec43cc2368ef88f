"""The last message, its remedy, and where possible buttons that do it."""

from __future__ import annotations

from html import escape

from ..notice import Kind, Notice, Offer
from ..qt import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
    pyqtSignal,
)

_ICONS = {
    Kind.error: QStyle.StandardPixmap.SP_MessageBoxWarning,
    Kind.advice: QStyle.StandardPixmap.SP_MessageBoxInformation,
}
_ICON_SIDE = 20


class NoticeBox(QFrame):
    """``offered`` carries the `Offer` whose button was pressed; ``dismissed``: it was closed."""

    offered = pyqtSignal(object)
    dismissed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_notice")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._icon = QLabel(self)
        self._icon.setObjectName("nuri_notice_icon")
        self._text = QLabel(self)
        self._text.setObjectName("nuri_notice_text")
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._close = QToolButton(self)
        self._close.setObjectName("nuri_notice_close")
        self._close.setAutoRaise(True)
        self._close.setIcon(self.style().standardIcon(QStyle.StandardPixmap.SP_TitleBarCloseButton))
        self._close.clicked.connect(self.dismissed)
        self._buttons = {offer: self._button(offer) for offer in Offer}
        row = QHBoxLayout()
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 4, 4)
        layout.addLayout(row)
        for button in self._buttons.values():
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def show_notice(self, notice: Notice | None) -> None:
        self.setVisible(notice is not None)
        if notice is None:
            return
        icon = _ICONS.get(notice.kind)
        self._icon.setVisible(icon is not None)
        if icon is not None:
            self._icon.setPixmap(self.style().standardIcon(icon).pixmap(_ICON_SIDE, _ICON_SIDE))
        sentences = [
            escape(text[0].upper() + text[1:].rstrip(".") + ".")
            for text in (notice.message, notice.remedy)
            if text
        ]
        self._text.setText("<br>".join(sentences))
        self._text.setToolTip(escape(notice.detail))
        for offer, button in self._buttons.items():
            button.setVisible(offer in notice.offers)

    def _button(self, offer: Offer) -> QPushButton:
        button = QPushButton(offer.value, self)
        button.setObjectName(f"nuri_offer_{offer.name}")
        button.clicked.connect(lambda: self.offered.emit(offer))
        return button

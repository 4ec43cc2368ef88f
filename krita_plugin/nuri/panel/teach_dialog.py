"""Asks for the name of a style that is to be taught."""

from __future__ import annotations

import re
from typing import Any

from ..actions import Actions
from ..document import key_of
from ..qt import QDialog, QDialogButtonBox, QLabel, QLineEdit, Qt, QVBoxLayout, QWidget

_INTRODUCTION = (
    "Nuri learns from the coloured frames of this animation, yours and those you have corrected; "
    "of still drawings, from all open ones that have their colours. Four or more help best. "
    "It takes some minutes beside your work, and nothing is sent anywhere. "
    "The style is tried on some that it has not seen, and kept only if these come out no worse."
)
_WIDTH = 420
# As the backend takes them.
_NAME = re.compile(r"\w[\w .()-]{0,47}")


class TeachDialog(QDialog):
    """Shown without blocking Krita. ``document``: what it asks for, or None."""

    def __init__(self, actions: Actions, document: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_teach_dialog")
        self.setWindowTitle("Teach this style")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions = actions
        # The artist may go on with another document.
        self._document = key_of(document) if document is not None else ""
        name = document.name() if document is not None else ""
        introduction = QLabel(_INTRODUCTION, self)
        introduction.setWordWrap(True)
        self._name = QLineEdit(name, self)
        self._name.setObjectName("nuri_teach_name")
        self._name.textChanged.connect(self._check)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self._teach = buttons.addButton("Teach", QDialogButtonBox.ButtonRole.AcceptRole)
        self._teach.setObjectName("nuri_teach_button")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (introduction, QLabel("Name of the style", self), self._name, buttons):
            layout.addWidget(widget)
        self.resize(_WIDTH, layout.heightForWidth(_WIDTH))
        self._check()

    def accept(self) -> None:
        name = self._name.text().strip()
        super().accept()
        self._actions.teaching.start(name, self._document)

    def _check(self) -> None:
        self._teach.setEnabled(bool(_NAME.fullmatch(self._name.text().strip())))

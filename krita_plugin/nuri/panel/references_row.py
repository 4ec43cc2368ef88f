"""The references of a document: coloured drawings to follow, each with a thumbnail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from krita import Krita

from .. import layers, references
from ..actions import Actions
from ..qt import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPixmap,
    QSizePolicy,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from ..references import Kind, Reference

_SIDE = 32
_INDENT = "    "


class ReferencesRow(QWidget):
    """``add_button`` opens a menu of documents, layers and files; below it what was chosen."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_references")
        self._actions = actions
        self._shown: list[Reference] | None = None
        self._none = QLabel("None", self)
        self._none.setObjectName("nuri_no_references")
        self._none.setEnabled(False)
        self.add_button = QToolButton(self)
        self.add_button.setObjectName("nuri_add_reference_button")
        self.add_button.setIcon(Krita.instance().icon("addlayer"))
        self.add_button.setAutoRaise(True)
        self.add_button.setToolTip("Add a coloured drawing whose colours these lines shall get")
        self.add_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._menu.setObjectName("nuri_add_reference_menu")
        self._menu.aboutToShow.connect(self._fill_menu)
        self.add_button.setMenu(self._menu)
        self._entries = QVBoxLayout()
        self._entries.setSpacing(2)
        self._entries.addWidget(self._none)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._entries, 1)
        layout.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignTop)

    def show_references(self, chosen: list[Reference]) -> None:
        """Shows what is chosen; thumbnails are made for entries that are new here."""
        if chosen == self._shown:
            return
        self._shown = list(chosen)
        while self._entries.count() > 1:
            self._entries.takeAt(1).widget().deleteLater()
        self._none.setVisible(not chosen)
        for number, reference in enumerate(chosen):
            self._entries.addWidget(self._entry(number, reference))

    def _entry(self, number: int, reference: Reference) -> QWidget:
        entry = QFrame(self)
        entry.setObjectName(f"nuri_reference_{number}")
        picture = QLabel(entry)
        picture.setObjectName(f"nuri_reference_picture_{number}")
        picture.setFixedSize(_SIDE, _SIDE)
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        picture.setPixmap(_thumbnail(reference, self.devicePixelRatioF()))
        name = QLabel(reference.name, entry)
        path = f"\n{reference.key}" if reference.kind is Kind.file else ""
        name.setToolTip(f"The {reference.kind.value} {reference.name}{path}")
        # A long name must not widen the docker.
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        remove = QToolButton(entry)
        remove.setObjectName(f"nuri_remove_reference_{number}")
        remove.setIcon(Krita.instance().icon("deletelayer"))
        remove.setAutoRaise(True)
        remove.setToolTip("Remove this reference")
        remove.clicked.connect(lambda: self._actions.remove_reference(reference))
        layout = QHBoxLayout(entry)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(picture)
        layout.addWidget(name, 1)
        layout.addWidget(remove)
        return entry

    def _fill_menu(self) -> None:
        self._menu.clear()
        document = Krita.instance().activeDocument()
        others = [other for other in Krita.instance().documents() if other != document]
        self._head("Open documents", bool(others))
        for other in others:
            self._choice(references.name_of(other), references.of_document(other))
        nodes = layers.drawable(document) if document is not None else []
        self._head("Layers of this document", bool(nodes))
        for node, depth in nodes:
            self._choice(_INDENT * depth + node.name(), references.of_layer(document, node))
        self._menu.addSeparator()
        self._menu.addAction("Picture file…").triggered.connect(lambda: self._choose_file())

    def _head(self, text: str, is_needed: bool) -> None:
        if is_needed:
            self._menu.addSeparator()
            self._menu.addAction(text).setEnabled(False)

    def _choice(self, text: str, reference: Reference) -> None:
        # An ampersand in a name is no shortcut.
        entry = self._menu.addAction(text.replace("&", "&&"))
        entry.triggered.connect(lambda: self._actions.add_reference(reference))

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Reference picture")
        dialog.setObjectName("nuri_reference_file_dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(f"Pictures ({references.READABLE})")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._add_files)
        # Not modal to the event loop: a job may be running meanwhile.
        dialog.open()

    def _add_files(self, names: list[str]) -> None:
        for name in names:
            self._actions.add_reference(references.of_file(Path(name)))


def _thumbnail(reference: Reference, ratio: float) -> QPixmap:
    image: Any = references.thumbnail(reference)
    if image.isNull():
        return Krita.instance().icon("document-open").pixmap(_SIDE // 2, _SIDE // 2)
    side = round(_SIDE * ratio)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    pixmap = QPixmap.fromImage(image.scaled(side, side, keep, smooth))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap

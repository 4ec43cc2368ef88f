"""The references of a document: coloured drawings to follow, each with a thumbnail."""

from __future__ import annotations

from pathlib import Path

from krita import Krita

from .. import layers, references
from ..actions import Actions
from ..qt import QFileDialog, QHBoxLayout, QLabel, QMenu, Qt, QToolButton, QVBoxLayout, QWidget
from ..references import Reference
from .reference_entry import ReferenceEntry

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
        self._entries: dict[Reference, ReferenceEntry] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._list.addWidget(self._none)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._list, 1)
        layout.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignTop)

    def show_references(self, chosen: list[Reference]) -> None:
        """Shows what is chosen; thumbnails are made for entries that are new here."""
        if chosen == self._shown:
            return
        self._shown = list(chosen)
        for gone in self._entries.keys() - set(chosen):
            entry = self._entries.pop(gone)
            self._list.removeWidget(entry)
            entry.leave()
        self._none.setVisible(not chosen)
        for number, reference in enumerate(chosen):
            if reference not in self._entries:
                self._entries[reference] = self._entry(reference)
            entry = self._entries[reference]
            entry.set_number(number)
            self._list.removeWidget(entry)
            self._list.insertWidget(1 + number, entry)

    def _entry(self, reference: Reference) -> ReferenceEntry:
        entry = ReferenceEntry(reference, self)
        entry.removed.connect(lambda: self._actions.remove_reference(reference))
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

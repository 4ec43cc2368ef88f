"""How to get the backend, or where it is; and its log."""

from __future__ import annotations

import sys
from pathlib import Path

from protocol.errors import NuriError

from ..daemon import Backend
from ..qt import (
    QDesktopServices,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGuiApplication,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    Qt,
    QUrl,
    QVBoxLayout,
    QWidget,
)

_INTRODUCTION = (
    "Nuri colours with a program of its own that runs on your machine; nothing is sent anywhere. "
    "Install it once: open a terminal in the folder where you unpacked Nuri and run"
)
_PYTHON = "py" if sys.platform == "win32" else "python3"
_COMMANDS = f"{_PYTHON} install.py demo\n{_PYTHON} install.py doctor"
_AFTERWARDS = (
    "Then press Colorize layer again; Krita need not be restarted. "
    "If it is installed already, show Nuri where: the command <i>nuri</i> in the folder "
    "<i>.venv/bin</i> (Windows: <i>nuri.exe</i> in <i>.venv\\Scripts</i>)."
)


class InstallDialog(QDialog):
    """Shown without blocking Krita."""

    def __init__(self, backend: Backend, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nuri_install_dialog")
        self.setWindowTitle("Install the Nuri backend")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._backend = backend
        commands = QPlainTextEdit(_COMMANDS, self)
        commands.setObjectName("nuri_install_commands")
        commands.setReadOnly(True)
        commands.setFixedHeight(commands.fontMetrics().lineSpacing() * 2 + 16)
        self._said = _paragraph("", self)
        self._said.setObjectName("nuri_install_said")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = QPushButton("Copy commands", self)
        copy.setObjectName("nuri_install_copy")
        choose = QPushButton("Choose the backend…", self)
        choose.setObjectName("nuri_install_choose")
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(choose, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.close)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(_COMMANDS))
        choose.clicked.connect(self.choose)
        layout = QVBoxLayout(self)
        layout.addWidget(_paragraph(_INTRODUCTION, self))
        layout.addWidget(commands)
        layout.addWidget(_paragraph(_AFTERWARDS, self))
        layout.addWidget(self._said)
        layout.addWidget(buttons)
        self.resize(460, self.sizeHint().height())

    def choose(self) -> None:
        """Asks for the `nuri` command and remembers it."""
        name, _ = QFileDialog.getOpenFileName(self, "The nuri command", str(Path.home()))
        if not name:
            return
        try:
            self._backend.use(Path(name))
        except NuriError as error:
            self._said.setText(str(error))
        else:
            self._said.setText(f"Nuri will use {name}")


def open_log(backend: Backend) -> bool:
    """Opens the backend's log with the system's viewer; False when there is none yet."""
    log = backend.log_file
    return log is not None and QDesktopServices.openUrl(QUrl.fromLocalFile(str(log)))


def _paragraph(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setWordWrap(True)
    return label

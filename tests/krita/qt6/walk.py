"""Uses the docker, the menu and the dialogs under PyQt6; prints what the docker shows.

An error in a slot ends PyQt6 with an abort. The argument is a picture file.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from krita import Krita
from PyQt6.QtWidgets import QApplication, QLabel, QWidget

SECONDS = 30.0

application = QApplication([])
import nuri  # noqa: E402, F401 - needs the application, as in Krita
from nuri.notice import Kind, Notice, Offer  # noqa: E402
from nuri.panel.docker import NuriDocker  # noqa: E402
from nuri.panel.install_dialog import InstallDialog  # noqa: E402
from nuri.references import of_file  # noqa: E402


def until(done: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        application.processEvents()
        assert time.monotonic() < end, f"no {what}"


krita = Krita.instance()
extension, factory = krita.extensions[0], krita.factories[0]
extension.setup()
extension.createActions(krita.activeWindow())
docker = factory.docker()
assert isinstance(docker, NuriDocker)
docker.canvasChanged(None)
docker.resize(320, 800)
docker.show()
backend = extension.actions.backend
until(lambda: backend.state.name == "missing", "look for the backend")

for name, action in krita.activeWindow().actions.items():
    if name != "nuri_menu":
        action.trigger()
    application.processEvents()
dialogs = [widget for widget in application.topLevelWidgets() if widget.isWindow()]
assert any(type(widget).__name__ == "TeachDialog" and widget.isVisible() for widget in dialogs)

extension.actions.add_reference(of_file(Path(sys.argv[1])))
until(
    lambda: [
        label
        for label in docker.findChildren(QLabel)
        if label.objectName() == "nuri_reference_picture_0" and label.pixmap().width() >= 32
    ],
    "thumbnail",
)
for box in docker.findChildren(QWidget):
    if hasattr(box, "toggle") and box.objectName().startswith("nuri_"):
        box.toggle()
        application.processEvents()
extension.actions.tell(
    extension.actions.desk(), Notice(Kind.error, "A message", "its remedy", tuple(Offer))
)
application.processEvents()
InstallDialog(backend, docker).show()
application.processEvents()
print("\n".join(label.text() for label in docker.findChildren(QLabel) if label.isVisible()))
krita.notifier().applicationClosing.emit()

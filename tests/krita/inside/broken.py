"""The plugin without its libraries: Krita lives, the docker says why and what to do.

The harness takes the folder vendor/ away for this script.
"""

from __future__ import annotations

from PyQt5.QtWidgets import QApplication


def check_reason_and_remedy(stage):
    yield from stage.resize_window(1400, 900)
    document = stage.document(320, 240)
    yield 300
    assert stage.docker().isVisible()
    text = stage.widget("nuri_broken_reason").text()
    assert "Nuri cannot load its module" in text, text
    assert "python3 install.py plugin" in text, text
    stage.screenshot("broken")
    stage.trigger("nuri_colorize_layer")
    yield 300
    assert QApplication.activeModalWidget() is None
    assert stage.names(document.rootNode()) == ["Background"]

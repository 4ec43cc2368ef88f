"""The docker and the messages, without any backend."""

from __future__ import annotations

from pathlib import Path


def check_loaded(stage):
    """The plugin is there: docker, menu entries, submenu."""
    yield from stage.resize_window(1400, 900)
    for name in ("nuri_colorize_layer", "nuri_new_hint_layer", "nuri_cancel_colouring"):
        assert stage.krita.action(name) is not None, name
    assert stage.docker().isVisible()
    menu = stage.widget("nuri_menu")
    assert [a.text() for a in menu.actions()] == [
        "Colorize layer",
        "New hint layer",
        "Cancel colouring",
    ]
    assert stage.docker().minimumSizeHint().height() <= 250
    stage.screenshot("docker-empty")
    return {"height": stage.docker().minimumSizeHint().height()}


def check_no_document(stage):
    stage.trigger("nuri_colorize_layer")
    yield 100
    kind, message, remedy, _ = stage.notice()
    assert (kind, message) == ("error", "No document is open")
    assert "open a drawing" in remedy
    assert not Path("/nonexistent").exists()


def check_document(stage):
    document = stage.document(800, 600)
    stage.layer(document, "Ink")
    yield 500
    stage.screenshot("docker-document")
    stage.trigger("nuri_new_hint_layer")
    yield 500
    stage.screenshot("docker-hints")
    assert stage.names(document.rootNode()) == ["Background", "Ink", "Nuri hints"]
    assert document.activeNode().name() == "Nuri hints"
    stage.trigger("nuri_colorize_layer")
    yield 2000
    stage.screenshot("docker-colorize")
    return {"notice": stage.notice(), "places": stage.places()}

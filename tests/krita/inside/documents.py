"""Colorize layer in documents as artists build them: groups, paper, selections, second runs."""

from __future__ import annotations

from nuri_test_hook.pictures import SPACES
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication

_, INK, FIRST, SECOND = SPACES["rgba8"]
CLEAR, WHITE = bytes(4), b"\xff" * 4


def _colour_of(document, x, y):
    return bytes(document.pixelData(x, y, 1, 1))


def check_lines_in_a_group(stage):
    """Alone in their group, the lines get their colours under the group: one step, same look."""
    document = stage.document(320, 240)
    group = document.createGroupLayer("Drawing")
    document.rootNode().addChildNode(group, None)
    line = stage.layer(document, "Ink", parent=group)
    rooms = stage.draw(document, line)
    hints = stage.layer(document, "Hints")
    stage.hint(document, hints, rooms)
    stage.refresh(document)
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    root = document.rootNode()
    assert stage.names(root) == ["Background", "Colours", "Drawing", "Hints"]
    assert stage.pixel(document.nodeByName("Colours"), *rooms.first) == FIRST
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert stage.history() == [*steps, "Add Layer"]


def check_two_layers_in_a_group(stage):
    """With something of the artist's under the lines in the group, the colours come between."""
    document = stage.document(320, 240)
    group = document.createGroupLayer("Drawing")
    document.rootNode().addChildNode(group, None)
    stage.layer(document, "Shadow", parent=group)
    line = stage.layer(document, "Ink", parent=group)
    rooms = stage.draw(document, line)
    stage.hint(document, stage.layer(document, "Hints"), rooms)
    stage.refresh(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert stage.names(document.nodeByName("Drawing")) == ["Shadow", "Colours", "Ink"]


def check_group_as_line_layer(stage):
    """Lines on two layers of a group, one with opacity: what the group looks like counts."""
    document = stage.document(320, 240)
    group = document.createGroupLayer("Lines")
    document.rootNode().addChildNode(group, None)
    rooms = None
    outer, inner = (stage.layer(document, name, parent=group) for name in ("one", "two"))
    rooms = stage.draw(document, inner)
    for rectangle in rooms.lines()[:2]:
        stage.fill(document, inner, CLEAR, *rectangle)
        stage.fill(document, outer, INK, *rectangle)
    stage.hint(document, stage.layer(document, "Hints"), rooms)
    stage.refresh(document)
    before = stage.fingerprint(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert stage.names(document.rootNode()) == ["Background", "Colours", "Lines", "Hints"]
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, *rooms.first) == FIRST
    assert stage.pixel(colours, *rooms.outside) == CLEAR
    assert stage.fingerprint(document, skip=["Colours"]) == before


def check_vector_lines(stage):
    document = stage.document(320, 240)
    line = document.createVectorLayer("Outline")
    document.rootNode().addChildNode(line, None)
    line.addShapesFromSvg(
        '<svg xmlns="http://www.w3.org/2000/svg" width="320px" height="240px">'
        '<rect x="60" y="60" width="200" height="120" fill="none" stroke="#000" stroke-width="5"/>'
        "</svg>"
    )
    yield 500
    hints = stage.layer(document, "Hints")
    box = line.bounds()
    x, y = box.x() + box.width() // 2, box.y() + box.height() // 2
    stage.fill(document, hints, FIRST, x - 4, y - 4, 9, 9)
    stage.refresh(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, x, y) == FIRST
    assert stage.pixel(colours, 2, 2) == CLEAR


def check_lines_on_paper(stage):
    """A scan: opaque and the lowest layer. Colours go above and multiply; the paper stays."""
    document = stage.document(320, 240)
    line = document.nodeByName("Background")
    rooms = stage.draw(document, line)
    hints = stage.layer(document, "Hints")
    stage.hint(document, hints, rooms)
    hints.setVisible(False)
    stage.refresh(document)
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert stage.names(document.rootNode()) == ["Background", "Colours", "Hints"]
    colours = document.nodeByName("Colours")
    assert colours.blendingMode() == "multiply"
    assert stage.pixel(colours, *rooms.first) == FIRST
    # On white paper multiplying gives the colour itself; the line stays black.
    document.waitForDone()
    assert _colour_of(document, *rooms.first) == FIRST
    assert _colour_of(document, rooms.left + 1, rooms.first[1]) == INK
    assert _colour_of(document, *rooms.outside) == WHITE
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert stage.history() == [*steps, "Add Layer"]


def check_transparent_lines_at_the_bottom(stage):
    """Nothing lies below: one undo step is still enough, and the artist's order stays."""
    document, _, _, rooms = yield from stage.drawing()
    document.nodeByName("Background").remove()
    document.nodeByName("Nuri hints").setVisible(False)
    stage.refresh(document)
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert stage.names(document.rootNode()) == ["Ink", "Colours", "Nuri hints"]
    assert stage.history() == [*steps, "Add Layer"]
    assert stage.fingerprint(document, skip=["Colours"]) == before
    document.waitForDone()
    assert _colour_of(document, *rooms.first) == FIRST
    assert _colour_of(document, rooms.left + 1, rooms.first[1]) == INK


def check_off_canvas_pixels(stage):
    """Paint outside the canvas is neither sent nor changed."""
    document, line, hints, rooms = yield from stage.drawing()
    stage.fill(document, hints, SECOND, -60, -60, 40, 300)
    stage.fill(document, line, INK, -50, 100, 60, 3)
    stage.fill(document, hints, FIRST, 310, 230, 60, 60)
    stage.refresh(document)
    before = stage.fingerprint(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    colours = document.nodeByName("Colours")
    bounds = colours.bounds()
    assert bounds.x() >= 0 and bounds.right() < 320 and bounds.bottom() < 240, bounds
    assert stage.pixel(colours, *rooms.first) == FIRST
    # The hint at the corner lies partly on the canvas and colours the outside.
    assert stage.pixel(colours, *rooms.outside) == FIRST
    assert stage.fingerprint(document, skip=["Colours"]) == before


def check_selection(stage):
    """Only the selected part is coloured, and the selection stays."""
    document, _, _, rooms = yield from stage.drawing()
    selection = stage.selection(rooms.left, 0, rooms.middle - rooms.left - 20, 240)
    document.setSelection(selection)
    yield 100
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, *rooms.first) == FIRST
    assert stage.pixel(colours, rooms.middle - 10, rooms.first[1]) == CLEAR
    assert stage.pixel(colours, *rooms.second) == CLEAR
    kept = document.selection()
    assert (kept.x(), kept.width()) == (selection.x(), selection.width())


def check_selection_outside(stage):
    document, _, _, _ = yield from stage.drawing()
    document.setSelection(stage.selection(-200, -200, 50, 50))
    before = stage.fingerprint(document)
    notice = yield from stage.colorize()
    assert notice[0] == "error" and "selection" in notice[1], notice
    assert stage.fingerprint(document) == before


def check_second_run(stage):
    """Adds another layer and leaves the first alone; the option replaces it instead."""
    document, _, _, _ = yield from stage.drawing()
    yield from stage.colorize()
    first = stage.fingerprint(document)
    yield from stage.colorize()
    names = stage.names(document.rootNode())
    assert names == ["Background", "Colours", "Colours 2", "Ink", "Nuri hints"], names
    assert stage.fingerprint(document, skip=["Colours 2"]) == first
    box = stage.widget("nuri_replace_previous")
    box.setChecked(True)
    yield from stage.colorize()
    box.setChecked(False)
    names = stage.names(document.rootNode())
    assert names == ["Background", "Colours", "Colours 3", "Ink", "Nuri hints"], names
    yield from stage.undo(document)
    assert "Colours 2" in stage.names(document.rootNode())
    yield from stage.undo(document)
    assert stage.names(document.rootNode()) == names[:1] + ["Colours", "Colours 2"] + names[3:]


def check_fill_unhinted(stage):
    """The option reaches the backend, and means the regions without the matcher."""
    document, _, hints, rooms = yield from stage.drawing()
    stage.fill(document, hints, CLEAR, *rooms.dots()[1])
    stage.refresh(document)
    stage.actions().set_model("colouring", "flats/flats")
    notice = yield from stage.colorize()
    stage.actions().set_model("colouring", "")
    assert "1 area coloured" in notice[1] and "without a hint" in notice[1], notice
    assert stage.pixel(document.nodeByName("Colours"), *rooms.second) == CLEAR
    box = stage.widget("nuri_fill_unhinted")
    box.setChecked(True)
    notice = yield from stage.colorize()
    box.setChecked(False)
    assert notice[0] == "done", notice
    assert stage.pixel(document.nodeByName("Colours 2"), *rooms.second) == FIRST


def check_save_and_reopen(stage):
    """The result is in the file, and the reopened document can be coloured again."""
    document, _, _, _ = yield from stage.drawing()
    yield from stage.colorize()
    kept = stage.fingerprint(document)
    path = str(stage.root / "saved.kra")
    document.setBatchmode(True)
    assert document.saveAs(path)
    yield from stage.close(document)
    again = stage.krita.openDocument(path)
    stage.krita.activeWindow().addView(again)
    again.waitForDone()
    yield 300
    assert stage.fingerprint(again) == kept
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    names = stage.names(again.rootNode())
    assert names == ["Background", "Colours", "Colours 2", "Ink", "Nuri hints"], names


def check_layers_chosen_in_the_docker(stage):
    """Layers whose names say nothing, picked from the lists."""
    document = stage.document(320, 240)
    line = stage.layer(document, "Layer 1")
    rooms = stage.draw(document, line)
    decoy = stage.layer(document, "Lines (old)")
    stage.fill(document, decoy, INK, 5, 5, 100, 3)
    hints = stage.layer(document, "Layer 2")
    stage.hint(document, hints, rooms)
    stage.refresh(document)
    yield 300
    for name, wanted in (("nuri_lines", "Layer 1"), ("nuri_hints", "Layer 2")):
        choice = stage.widget(name)
        choice.setFocus(Qt.FocusReason.OtherFocusReason)
        choice.showPopup()
        yield 200
        texts = [choice.itemText(i).strip() for i in range(choice.count())]
        choice.hidePopup()
        choice.setCurrentIndex(texts.index(wanted))
        choice.activated.emit(texts.index(wanted))
        yield 100
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert "Automatic" in stage.widget("nuri_lines").itemText(0)
    assert stage.widget("nuri_lines").currentText().strip() == "Layer 1"
    names = stage.names(document.rootNode())
    assert names == ["Background", "Colours", "Layer 1", "Lines (old)", "Layer 2"], names
    assert stage.pixel(document.nodeByName("Colours"), *rooms.first) == FIRST
    assert QApplication.activeModalWidget() is None


def check_layers_found_by_content(stage):
    """Nothing is named: the only inked layer is the lines, the active gaudy one the hints."""
    document = stage.document(320, 240)
    line = stage.layer(document, "Layer 1")
    rooms = stage.draw(document, line)
    hints = stage.layer(document, "Layer 2")
    stage.hint(document, hints, rooms)
    stage.refresh(document)
    yield from stage.activate(document, hints)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    names = stage.names(document.rootNode())
    assert names == ["Background", "Colours", "Layer 1", "Layer 2"], names


def check_multiplying_paper(stage):
    """A scan set to Multiply lets colours under it through, so that is where they go."""
    document = stage.document(320, 240)
    line = stage.layer(document, "Scan of the lines")
    stage.fill(document, line, WHITE, 0, 0, 320, 240)
    rooms = stage.draw(document, line)
    line.setBlendingMode("multiply")
    stage.hint(document, stage.layer(document, "Hints"), rooms)
    stage.refresh(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    names = stage.names(document.rootNode())
    assert names == ["Background", "Colours", "Scan of the lines", "Hints"], names
    assert document.nodeByName("Colours").blendingMode() == "normal"

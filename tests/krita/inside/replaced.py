"""Replace my previous colours: what the new layer takes over goes, and nothing else."""

from __future__ import annotations

from nuri_test_hook.shot import colorize, make
from PyQt5.QtCore import QTimer


class _Replacing:
    """Use it with ``with``: the option is on. ``stage``: of the check."""

    def __init__(self, stage):
        self._actions = stage.actions()

    def __enter__(self):
        self._actions.set_flag("replace_previous", True)

    def __exit__(self, *_):
        self._actions.set_flag("replace_previous", False)


def _uid(node):
    return str(node.uniqueId().toString())


def _colorize(stage):
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    yield 200


def _colours(stage, document):
    return [name for name in stage.names(document.rootNode()) if name.startswith("Colours")]


def check_colours_of_other_lines_stay(stage):
    document, line, _, _ = yield from stage.drawing()
    other = stage.layer(document, "Ink two")
    stage.draw(document, other)
    stage.refresh(document)
    desk = stage.actions().desk()
    with _Replacing(stage):
        desk.line = _uid(line)
        yield from _colorize(stage)
        desk.line = _uid(other)
        yield from _colorize(stage)
        assert _colours(stage, document) == ["Colours", "Colours 2"]
        # Each of them has its own previous colours.
        desk.line = _uid(line)
        yield from _colorize(stage)
    assert sorted(_colours(stage, document)) == ["Colours 2", "Colours 3"]


def check_a_selection_keeps_what_lies_outside(stage):
    """The colours of the page stay; those of the same selection go, and all of them in the end."""
    document, _, _, rooms = yield from stage.drawing()
    selection = stage.selection(0, 0, rooms.middle, document.height())
    with _Replacing(stage):
        yield from _colorize(stage)
        page = document.nodeByName("Colours")
        before = stage.pixels(document, page)
        document.setSelection(selection)
        yield from _colorize(stage)
        assert _colours(stage, document) == ["Colours", "Colours 2"]
        assert stage.pixels(document, page) == before
        yield from _colorize(stage)
        assert _colours(stage, document) == ["Colours", "Colours 3"]
        document.setSelection(stage.selection(0, 0, rooms.first[0], document.height()))
        yield from _colorize(stage)
        assert _colours(stage, document) == ["Colours", "Colours 3", "Colours 2"]
        document.setSelection(None)
        yield from _colorize(stage)
        assert _colours(stage, document) == ["Colours 4"]
        # Everything is selected: that is no part.
        document.setSelection(stage.selection(0, 0, document.width(), document.height()))
        yield from _colorize(stage)
        assert len(_colours(stage, document)) == 1, _colours(stage, document)


def check_after_undo_what_is_there_is_replaced(stage):
    document, _, _, _ = yield from stage.drawing()
    with _Replacing(stage):
        yield from _colorize(stage)
        yield from _colorize(stage)
        assert _colours(stage, document) == ["Colours 2"]
        yield from stage.undo(document)
        yield from stage.undo(document)
        assert _colours(stage, document) == ["Colours"]
        first = _uid(document.nodeByName("Colours"))
        yield from _colorize(stage)
        (name,) = _colours(stage, document)
        assert _uid(document.nodeByName(name)) != first


def check_an_animation_outlives_a_still(stage):
    """And the other way round; each kind replaces its own."""
    shot = yield from make(stage, times=(0, 2, 4))
    document, actions = shot.document, stage.actions()
    hints = stage.layer(document, "Nuri hints")
    yield from shot.move_to(shot.line, 2)
    yield 300
    for colour, (x, y) in zip((shot.first, shot.second), shot.rooms[2][:2], strict=True):
        stage.fill(document, hints, colour, x - 2, y - 2, 5, 5)
    stage.refresh(document)
    with _Replacing(stage):
        yield from colorize(stage)
        animation = document.nodeByName("Colours")
        assert shot.keys(animation) == [0, 2, 4]
        actions.desk().hints = _uid(hints)
        yield from _colorize(stage)
        assert set(_colours(stage, document)) == {"Colours", "Colours 2"}
        yield from _colorize(stage)
        assert set(_colours(stage, document)) == {"Colours", "Colours 3"}
        actions.desk().hints = _uid(shot.colour)
        yield from shot.move_to(shot.line, 2)
        stage.fill(document, shot.line, shot.ink, 4, 4, 6, 6)
        stage.refresh(document)
        notice = yield from colorize(stage)
        assert "1 frame coloured from 2" in notice[1], notice
        assert len(_colours(stage, document)) == 2
        assert document.nodeByName("Colours 3") is not None


def check_cancel_when_the_layer_is_there(stage):
    """Too late: it ends as done, and Nuri knows the layer as its own."""
    document, _, _, _ = yield from stage.drawing()
    actions = stage.actions()
    stage.trigger("nuri_colorize_layer")
    desk, job = actions.desk(), actions.desk().job
    yield from stage.until(lambda: document.nodeByName("Colours") is not None, 60, "the layer")
    assert desk.job is job
    colours = _uid(document.nodeByName("Colours"))
    assert actions.results_of(document) == [colours]
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 10, "the end")
    assert stage.notice()[0] == "done", stage.notice()
    assert actions.results_of(document) == [colours]


def check_cancel_when_another_kind_of_layer_is_there(stage):
    document, line, _, _ = yield from stage.drawing()
    yield from stage.activate(document, line)
    stage.trigger("nuri_extract_lines")
    desk = stage.actions().desk()
    yield from stage.until(lambda: document.nodeByName("Lines") is not None, 60, "the layer")
    assert desk.job is not None
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 10, "the end")
    assert stage.notice()[0] == "done", stage.notice()


def check_again_while_the_previous_colours_wait_to_go(stage):
    """Krita is busy just then; the new run replaces the layer that came meanwhile."""
    document, _, _, _ = yield from stage.drawing()
    desk = stage.actions().desk()
    seen = []

    def hold():
        if not seen and job.stage.startswith("Removing") and document.tryBarrierLock():
            seen.append(sorted(_colours(stage, document)))
            QTimer.singleShot(0, go_on)

    def go_on():
        document.unlock()
        stage.trigger("nuri_cancel_colouring")
        seen.append(desk.job is job)
        stage.trigger("nuri_colorize_layer")
        seen.append(desk.job is job)

    with _Replacing(stage):
        yield from _colorize(stage)
        stage.trigger("nuri_colorize_layer")
        job = desk.job
        # The job asks for the document right after it has said so.
        job.changed.connect(hold)
        yield from stage.until(lambda: len(seen) == 3, 60, "the new layer")
        assert seen == [["Colours", "Colours 2"], True, False], seen
        yield from stage.until(lambda: desk.job is None, 60, "the end")
        yield 500
    assert stage.notice()[0] == "done", stage.notice()
    assert len(_colours(stage, document)) == 1, _colours(stage, document)
    assert _colours(stage, document) != ["Colours 2"]

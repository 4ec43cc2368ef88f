"""What the artist chose, and what Nuri finds by itself: the same in the docker and in all runs."""

from __future__ import annotations

from nuri_test_hook.shot import TIMES, make

from nuri.references import of_layer


def _uid(node):
    return str(node.uniqueId().toString())


def check_a_layer_in_use_is_not_replaced(stage):
    """The last result stays where it is chosen as Hints, or is a reference."""
    document, _, hints, _ = yield from stage.drawing()
    assert (yield from stage.colorize())[0] == "done"
    colours, actions = document.nodeByName("Colours"), stage.actions()
    desk = actions.desk()
    actions.set_flag("replace_previous", True)
    try:
        assert actions.request(document).replace == _uid(colours)
        desk.hints = _uid(colours)
        assert actions.request(document).replace == ""
        desk.hints = _uid(hints)
        actions.add_reference(of_layer(document, colours))
        assert actions.request(document).replace == ""
        actions.remove_reference(desk.references[0])
        # In a group that is a reference.
        group = document.createGroupLayer("Sheet")
        document.rootNode().addChildNode(group, None)
        colours.remove()
        group.addChildNode(colours, None)
        yield 200
        actions.add_reference(of_layer(document, group))
        assert actions.request(document).replace == ""
        desk.references.clear()
        assert actions.request(document).replace == _uid(colours)
        desk.hints = _uid(colours)
        notice = yield from stage.colorize()
        assert notice[0] == "done", notice
        assert document.nodeByName("Colours") is not None
    finally:
        actions.set_flag("replace_previous", False)


def check_hints_of_animated_lines(stage):
    """The docker names the layer that Colorize layer takes, too."""
    shot = yield from make(stage, times=TIMES[:3])
    yield from shot.move_to(shot.line, TIMES[0])
    yield 300
    actions = stage.actions()
    line = actions.line_layer(shot.document)
    assert actions.hint_layer(shot.document, line) == shot.colour
    assert actions.animation_request().hints == _uid(shot.colour)
    assert actions.request(shot.document).hints == _uid(shot.colour)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    colours = shot.document.nodeByName("Colours")
    assert stage.pixel(colours, *shot.rooms[TIMES[0]][0]) == shot.first
    # A new hint layer is meant to be painted on, though the coloured frames would be found first.
    stage.trigger("nuri_new_hint_layer")
    yield 100
    made = shot.document.nodeByName("Nuri hints")
    assert actions.hint_layer(shot.document, line) == made
    stage.fill(shot.document, made, shot.second, *shot.rooms[TIMES[0]][0], 8, 8)
    assert actions.request(shot.document).hints == _uid(made)


def check_networks_that_paint_get_srgb(stage):
    document, *_ = yield from stage.drawing("cmyka8")
    actions = stage.actions()
    try:
        for model, is_srgb in (("aaldc", True), ("video", True), ("matching", False)):
            actions.set_model("colouring", f"layer/{model}")
            assert actions.request(document).needs_srgb is is_srgb, model
    finally:
        actions.set_model("colouring", "")

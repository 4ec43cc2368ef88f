"""Colorize grey painting and Extract lines: one new layer above the picture, one undo step."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from nuri_test_hook.pictures import LINEAR, SRGB, Rooms

_WEIGHTS = Path(os.environ["NURI_WEIGHTS"])
_NO_TORCH = {"left out": "no PyTorch, so no networks"}
_ACTION = "nuri_colorize_grey"


def _has_networks():
    return (_WEIGHTS / "manifest.toml").exists()


def _painting(width, height):
    """Grey values 0..1 of a soft slope with a darker disc, row by row."""
    for y in range(height):
        for x in range(width):
            inside = (x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
            yield (0.2 if inside else 0.35) + 0.6 * x / width


def _paint(document, node, pack):
    size = document.width(), document.height()
    node.setPixelData(b"".join(pack(value) for value in _painting(*size)), 0, 0, *size)


def _u8(value):
    return bytes((round(value * 255),) * 3) + b"\xff"


def _u16(value):
    return struct.pack("<4H", *((round(value * 65535),) * 3), 65535)


def _f32(value):
    return struct.pack("<4f", *((value**2.2,) * 3), 1.0)


def _lightness(values, decode=True):
    """L* of sRGB 0..1, blue first; without ``decode`` of linear light, red first as in floats."""
    red, green, blue = [_linear(value) for value in values[::-1]] if decode else values
    luminance = 0.212671 * red + 0.715160 * green + 0.072169 * blue
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


def _linear(value):
    return ((value + 0.055) / 1.055) ** 2.4 if value > 0.04045 else value / 12.92


def _apart(stage, document, first, second, layout, top, decode=True):
    """(the largest difference of L*, the largest colourfulness of the second) of two layers."""
    size = struct.calcsize(layout)
    one, two = stage.pixels(document, first), stage.pixels(document, second)
    off = vivid = 0.0
    for at in range(0, len(one), 7 * size):
        old = [value / top for value in struct.unpack_from(layout, one, at)[:3]]
        new = [value / top for value in struct.unpack_from(layout, two, at)[:3]]
        off = max(off, abs(_lightness(old, decode) - _lightness(new, decode)))
        vivid = max(vivid, max(new) - min(new))
    return off, vivid


def _grey(stage, model, depth, profile, pack, layout, top, decode=True):
    document = stage.document(160, 120, model, depth, profile)
    painting = stage.layer(document, "Painting")
    _paint(document, painting, pack)
    stage.refresh(document)
    yield from stage.activate(document, painting)
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.perform(_ACTION)
    assert notice[:2] == ("done", '"Painting" is coloured, on a new layer'), notice
    assert stage.names(document.rootNode()) == ["Background", "Painting", "Colours"]
    colours = document.nodeByName("Colours")
    assert (colours.colorModel(), colours.colorDepth()) == (model, depth)
    assert colours.blendingMode() == "normal"
    assert document.activeNode().name() == "Painting"
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert stage.history() == [*steps, "Add Layer"]
    off, vivid = _apart(stage, document, painting, colours, layout, top, decode)
    assert vivid > 0.02, vivid
    pixels = stage.pixels(document, colours)
    yield from stage.undo(document)
    assert stage.fingerprint(document) == before
    yield from stage.redo(document)
    assert stage.pixels(document, document.nodeByName("Colours")) == pixels
    return {"largest difference of L*": off, "colour": vivid}


def check_grey_in_8_bit(stage):
    if not _has_networks():
        return _NO_TORCH
    yield from stage.resize_window(1400, 900)
    facts = yield from _grey(stage, "RGBA", "U8", SRGB, _u8, "<4B", 255)
    assert facts["largest difference of L*"] < 0.25, facts
    yield 500
    stage.screenshot("grey-painting")
    return facts


def check_grey_in_16_bit(stage):
    if not _has_networks():
        return _NO_TORCH
    facts = yield from _grey(stage, "RGBA", "U16", SRGB, _u16, "<4H", 65535)
    assert facts["largest difference of L*"] < 0.01, facts
    return facts


def check_grey_in_linear_floats(stage):
    if not _has_networks():
        return _NO_TORCH
    facts = yield from _grey(stage, "RGBA", "F32", LINEAR, _f32, "<4f", 1, decode=False)
    assert facts["largest difference of L*"] < 0.1, facts
    return facts


def check_grey_within_a_selection(stage):
    if not _has_networks():
        return _NO_TORCH
    document = stage.document(120, 80)
    painting = stage.layer(document, "Painting")
    _paint(document, painting, _u8)
    stage.refresh(document)
    yield from stage.activate(document, painting)
    document.setSelection(stage.selection(30, 20, 40, 30))
    notice = yield from stage.perform(_ACTION)
    assert notice[0] == "done", notice
    bounds = document.nodeByName("Colours").bounds()
    box = bounds.x(), bounds.y(), bounds.width(), bounds.height()
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, 31, 21)[3] == 255
    assert stage.pixel(colours, 29, 21) == stage.pixel(colours, 31, 50) == bytes(4)
    return {"bounds": box}


def check_what_cannot_be_coloured(stage):
    """A greyscale image, an empty layer, one tone, a layer without pixels, absent weights."""
    document = stage.document(60, 40, "GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc")
    notice = yield from stage.perform(_ACTION)
    assert notice[0] == "error" and "Convert Image Color Space" in notice[2], notice
    assert stage.names(document.rootNode()) == ["Background"]
    document = stage.document(60, 40)
    empty = stage.layer(document, "Nothing")
    yield from stage.activate(document, empty)
    before = stage.fingerprint(document)
    notice = yield from stage.perform(_ACTION)
    assert notice[0] == "error" and '"Nothing" is blank' in notice[1], notice
    yield from stage.activate(document, document.nodeByName("Background"))
    if _has_networks():
        notice = yield from stage.perform(_ACTION)
        assert notice[0] == "error" and "picture is blank" in notice[1], notice
        _paint(document, empty, _u8)
        before = stage.fingerprint(document)
        yield from stage.activate(document, empty)
        stage.actions().set_model("greyscale", "ibn_gan")
        notice = yield from stage.perform(_ACTION)
        stage.actions().set_model("greyscale", "")
        assert notice[0] == "error" and "ibn_gan" in notice[1] and notice[2], notice
    mask = document.createFilterLayer(
        "Blur", stage.krita.filter("blur"), stage.selection(0, 0, 9, 9)
    )
    document.rootNode().addChildNode(mask, None)
    yield from stage.activate(document, mask)
    notice = yield from stage.perform(_ACTION)
    assert "holds no picture" in notice[1], notice
    mask.remove()
    assert stage.fingerprint(document) == before


def _cartoon(stage, document, node):
    """The rooms with an orange and a blue floor, on a pale ground."""
    rooms = Rooms(document.width(), document.height())
    stage.fill(document, node, bytes((235, 240, 245, 255)), 0, 0, rooms.width, rooms.height)
    high = rooms.bottom - rooms.top
    first = rooms.left, rooms.top, rooms.middle - rooms.left, high
    second = rooms.middle, rooms.top, rooms.right - rooms.middle, high
    stage.fill(document, node, bytes((40, 150, 240, 255)), *first)
    stage.fill(document, node, bytes((220, 120, 60, 255)), *second)
    for rectangle in rooms.lines():
        stage.fill(document, node, bytes((0, 0, 0, 255)), *rectangle)
    return rooms


def check_lines_of_a_picture(stage):
    """Ink on nothing above the picture; then hints colour those lines."""
    yield from stage.resize_window(1400, 900)
    document = stage.document(320, 240)
    painting = stage.layer(document, "Painting")
    rooms = _cartoon(stage, document, painting)
    stage.refresh(document)
    yield from stage.activate(document, painting)
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.perform("nuri_extract_lines")
    assert notice[:2] == ("done", '"Painting" has its lines, on a new layer'), notice
    assert stage.names(document.rootNode()) == ["Background", "Painting", "Lines"]
    lines = document.nodeByName("Lines")
    assert stage.pixel(lines, rooms.middle + 2, rooms.first[1])[3] > 200
    for place in (rooms.first, rooms.second, rooms.outside):
        assert stage.pixel(lines, *place)[3] == 0, place
    assert stage.history() == [*steps, "Add Layer"]
    assert stage.fingerprint(document, skip=["Lines"]) == before
    painting.setVisible(False)
    stage.refresh(document)
    yield 500
    stage.screenshot("extracted-lines")
    stage.trigger("nuri_new_hint_layer")
    yield 100
    stage.hint(document, document.nodeByName("Nuri hints"), rooms)
    stage.refresh(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done" and "2 areas coloured" in notice[1], notice
    names = stage.names(document.rootNode())
    assert names == ["Background", "Painting", "Colours", "Lines", "Nuri hints"], names

"""Onion skins are for the artist's eyes: neither lines nor colours are read from them."""

from __future__ import annotations

import zipfile

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.shot import colorize, make

from nuri import references
from nuri.pixels.colourspace import SRGB8
from nuri.pixels.snapshot import Snapshot
from nuri.timeline import Timeline

_TIMES = (0, 2, 4, 6)
_FIRST, _SECOND = SPACES["rgba8"][2:]


def _with_skins(stage, shot, name):
    """The document saved, its skins switched on in the file, and opened; returns it."""
    document = shot.document
    document.setBatchmode(True)
    plain, skinned = stage.root / f"{name}.kra", stage.root / f"{name}-skins.kra"
    assert document.saveAs(str(plain))
    yield 300
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(skinned, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry == "maindoc.xml":
                data = data.replace(b'onionskin="0"', b'onionskin="1"')
            new.writestr(entry, data)
    opened = stage.krita.openDocument(str(skinned))
    opened.waitForDone()
    stage.krita.activeWindow().addView(opened)
    yield 300
    stage.krita.setActiveDocument(opened)
    yield 200
    shot.document = opened
    shot.line, shot.colour = opened.nodeByName("Ink"), opened.nodeByName("Paint")
    return opened


def _in_group(stage, document, node, mask=None):
    """``node`` in a new group, with a mask; returns (group, node)."""
    group = document.createGroupLayer("Line group")
    document.rootNode().addChildNode(group, document.nodeByName("Background"))
    inner = node.duplicate()
    node.remove()
    group.addChildNode(inner, None)
    if mask is not None:
        inner.addChildNode(mask, None)
    yield 200
    stage.refresh(document)
    return group, inner


def _read(work):
    """What a generator returns; it yields meanwhile."""
    try:
        while True:
            next(work)
            yield 0
    except StopIteration as end:
        return bytes(end.value.data)


def check_animated_lines_in_a_group(stage):
    shot = yield from make(stage, times=_TIMES)
    document = yield from _with_skins(stage, shot, "onion")
    group, shot.line = yield from _in_group(stage, document, shot.line)
    yield from shot.move_to(shot.line, 2)
    stage.refresh(document)
    uid, canvas = group.uniqueId().toString(), (0, 0, document.width(), document.height())
    drawn = {time: shot.read(shot.line, time) for time in _TIMES}
    assert bytes(group.projectionPixelData(*canvas)) != drawn[2], "Krita shows no skins"
    with Timeline(document) as timeline:
        for time in (*_TIMES, 2):
            found = yield from _read(timeline.read(uid, time, SRGB8))
            assert found == drawn[time], time
    with Snapshot(document, uid, progress=lambda part: None) as snapshot:
        assert (yield from _read(snapshot.read_line(uid))) == drawn[2]
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "2 frames coloured from 2"), notice
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert stage.history() == [*steps, "Add Layer"]
    return {"right": shot.check_rooms(document.nodeByName("Colours"), _TIMES)}


def check_document_as_reference(stage):
    """All of an animated document, with its layers as they are laid on each other."""
    shot = yield from make(stage, times=_TIMES)
    yield from shot.move_to(shot.line, 2)
    canvas = (0, 0, shot.document.width(), shot.document.height())
    drawn = bytes(shot.document.pixelData(*canvas))
    document = yield from _with_skins(stage, shot, "reference")
    yield from shot.move_to(shot.line, 2)
    stage.refresh(document)
    before = stage.fingerprint(document)
    assert bytes(document.pixelData(*canvas)) != drawn, "Krita shows no skins"
    assert (yield from _read(references.read(references.of_document(document), "it"))) == drawn
    assert stage.fingerprint(document) == before


def check_animated_lines_with_a_mask(stage):
    """The mask of the line layer holds for the lines that are read."""
    shot = yield from make(stage, times=_TIMES)
    document = yield from _with_skins(stage, shot, "masked")
    turn = stage.krita.filter("invert")
    mask = document.createFilterMask("Turned", turn, stage.selection(0, 0, 400, 400))
    group, shot.line = yield from _in_group(stage, document, shot.line, mask)
    for uid in (group.uniqueId().toString(), shot.line.uniqueId().toString()):
        with Timeline(document) as timeline:
            for time in _TIMES:
                found = yield from _read(timeline.read(uid, time, SRGB8))
                drawn = shot.read(shot.line, time)
                assert found[3::4] == drawn[3::4], time
                ink = next(i for i in range(0, len(drawn), 4) if drawn[i + 3])
                assert found[ink : ink + 3] == bytes(255 - value for value in drawn[ink : ink + 3])

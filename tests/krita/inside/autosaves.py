"""Krita saves the artist's document by itself while Nuri works on copies of it: never a copy."""

from __future__ import annotations

import re
import zipfile

from nuri_test_hook.shot import make

_TIMES = tuple(range(0, 28, 2))
_EVERY_SECONDS = 1


def _added(path):
    """How many layers the artist had added by then, None while the file is written."""
    try:
        with zipfile.ZipFile(path) as archive:
            return len(re.findall(r'name="Later', archive.read("maindoc.xml").decode()))
    except (OSError, KeyError, zipfile.BadZipFile):
        return None


def _colorize_and_watch(stage, document, path):
    """The artist adds layers; an autosave that holds fewer than the one before is of a copy."""
    saved = path.with_name(f"{path.name}-autosave.kra")
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    seen, turns = [], 0
    # Two autosaves at least: where the backend is quick, the second one comes after it.
    while desk.job is not None or (len(seen) < 2 and turns < 1200):
        if turns % 20 == 10:
            stage.layer(document, f"Later {turns}")
        turns += 1
        found = _added(saved)
        if found is not None and found not in seen[-1:]:
            seen.append(found)
        yield 50
    yield 100
    expected = "done", f"{len(_TIMES) - 2} frames coloured from 2"
    assert stage.notice()[:2] == expected, stage.notice()
    assert len(seen) > 1, seen
    assert seen == sorted(seen), seen
    settings = (stage.root / "config" / "kritarc").read_text()
    assert "workbench.kra" not in settings and "frames.kra" not in settings
    assert not [path for path in (stage.root / "home").iterdir() if "workbench" in path.name]
    return {"seen": seen}


def _save_often(stage):
    """Of documents that are made from now on."""
    stage.krita.writeSetting("", "AutoSaveInterval", str(_EVERY_SECONDS))


def _save(stage, document, name):
    document.setBatchmode(True)
    path = stage.root / name
    # Krita refuses while it saves by itself.
    yield from stage.until(lambda: document.saveAs(str(path)), 20, "the file")
    yield 300
    return path


def check_image_of_16_bit(stage):
    """Its pixels are converted all the time."""
    _save_often(stage)
    shot = yield from make(stage, space="rgba16", width=900, height=700, times=_TIMES)
    path = yield from _save(stage, shot.document, "deep.kra")
    return (yield from _colorize_and_watch(stage, shot.document, path))


def check_lines_in_a_group(stage):
    """The playhead of the copy moves all the time."""
    _save_often(stage)
    shot = yield from make(stage, width=900, height=700, times=_TIMES)
    document = shot.document
    group = document.createGroupLayer("Line group")
    document.rootNode().addChildNode(group, document.nodeByName("Background"))
    inner = shot.line.duplicate()
    shot.line.remove()
    group.addChildNode(inner, None)
    yield 200
    path = yield from _save(stage, document, "grouped.kra")
    return (yield from _colorize_and_watch(stage, document, path))

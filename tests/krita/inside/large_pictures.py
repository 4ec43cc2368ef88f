"""Large pictures to colour, to draw and to follow: how long the event loop is held up; noted."""

from __future__ import annotations

import os
import time
from pathlib import Path

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.stage import GapWatch

SIDE = 4096
_HAS_NETWORKS = (Path(os.environ["NURI_WEIGHTS"]) / "manifest.toml").exists()


def _shaded(stage, document, name):
    """A layer of stripes in every grey, so that hardly two runs of pixels are alike."""
    node = stage.layer(document, name)
    row = b"".join(bytes(((x // 5 + x * x // 977) % 256,) * 3) + b"\xff" for x in range(SIDE))
    for y in range(0, SIDE, 64):
        start = 4 * (y * 7 % SIDE)
        node.setPixelData((row[start:] + row[:start]) * 64, 0, y, SIDE, 64)
    stage.refresh(document)
    yield 1500
    return node


def _watched(stage, action):
    watch, began = GapWatch(), time.monotonic()
    trace = stage.trace_stages(watch)
    notice = yield from stage.perform(action, 120)
    seconds = time.monotonic() - began
    gaps = watch.stop()
    assert notice[0] == "done", notice
    return {
        "longest ms": [round(gap, 1) for gap in gaps[:5]],
        "longest gap by stage ms": trace,
        "seconds": round(seconds, 2),
    }


def check_a_grey_painting(stage):
    if not _HAS_NETWORKS:
        return {"left out": "no PyTorch"}
    document = stage.document(SIDE, SIDE)
    painting = yield from _shaded(stage, document, "Painting")
    yield from stage.activate(document, painting)
    before = stage.fingerprint(document)
    facts = yield from _watched(stage, "nuri_colorize_grey")
    assert stage.fingerprint(document, skip=["Colours"]) == before
    return facts


def check_lines(stage):
    document = stage.document(SIDE, SIDE)
    painting = yield from _shaded(stage, document, "Painting")
    yield from stage.activate(document, painting)
    before = stage.fingerprint(document)
    facts = yield from _watched(stage, "nuri_extract_lines")
    assert stage.fingerprint(document, skip=["Lines"]) == before
    return facts


def check_a_reference(stage):
    if not _HAS_NETWORKS:
        return {"left out": "no PyTorch"}
    sample = stage.document(SIDE, SIDE)
    sample.setName("Large sheet")
    node = stage.layer(sample, "Painted")
    stage.fill(sample, node, SPACES["rgba8"][2], 0, 0, SIDE, SIDE // 2)
    stage.fill(sample, node, SPACES["rgba8"][3], 0, SIDE // 2, SIDE, SIDE // 2)
    stage.refresh(sample)
    document = stage.document(320, 240)
    stage.draw(document, stage.layer(document, "Ink"))
    stage.refresh(document)
    yield 1500
    watch = GapWatch()
    menu = stage.widget("nuri_add_reference_menu")
    menu.aboutToShow.emit()
    next(entry for entry in menu.actions() if entry.text() == "Large sheet").trigger()
    yield 200
    added = watch.stop()[0]
    facts = yield from _watched(stage, "nuri_colorize_layer")
    return {"adding ms": round(added, 1), **facts}

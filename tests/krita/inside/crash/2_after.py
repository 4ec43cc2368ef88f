"""The next start of Krita: the drawing is opened, and its colours are offered."""

from __future__ import annotations

from nuri_test_hook.pictures import SPACES, Rooms

from protocol.client import Client


def check_offered(stage):
    with Client.connect(timeout=60) as client:
        yield from stage.until(lambda: not client.status(30).jobs, 60, "the end of the job")
    document = stage.krita.openDocument(str(stage.root / "crash.kra"))
    stage.krita.activeWindow().addView(document)
    document.waitForDone()
    assert stage.names(document.rootNode()) == ["Background", "Ink", "Nuri hints"]
    yield from stage.until(lambda: stage.notice(), 30, "the offer")
    assert stage.notice()[3] == "add_kept", stage.notice()
    stage.widget("nuri_offer_add_kept").click()
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None and desk.notice, 60, "the kept colours")
    assert stage.notice()[0] == "done", stage.notice()
    rooms = Rooms(document.width(), document.height())
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, *rooms.first) == SPACES["rgba8"][2]
    assert stage.names(document.rootNode()) == ["Background", "Colours", "Ink", "Nuri hints"]

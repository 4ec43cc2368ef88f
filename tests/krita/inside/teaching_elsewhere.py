"""Teach this style is for the document that it was chosen in, whatever is active by then."""

from __future__ import annotations

from nuri_test_hook.shot import make

from nuri.document import key_of

_TIMES = (0, 2, 4)


def _ask(stage, name):
    stage.trigger("nuri_teach_style")
    yield 100
    stage.widget("nuri_teach_name").setText(name)


def check_another_document_is_active_by_then(stage):
    first = yield from make(stage, times=_TIMES)
    yield from _ask(stage, "Of the first")
    second = yield from make(stage, times=_TIMES)
    assert stage.krita.activeDocument() == second.document
    stage.widget("nuri_teach_button").click()
    job = stage.actions().teaching.job
    assert job is not None, stage.notice()
    try:
        lesson = job.lessons[0]
        assert (lesson.document, len(job.lessons)) == (key_of(first.document), 1)
        assert lesson.line == first.line.uniqueId().toString()
        assert lesson.colours == first.colour.uniqueId().toString()
    finally:
        stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: stage.actions().teaching.job is None, 30, "the end")


def check_it_has_been_closed_by_then(stage):
    shot = yield from make(stage, times=_TIMES)
    yield from _ask(stage, "Of nothing")
    yield from stage.close(shot.document)
    stage.widget("nuri_teach_button").click()
    yield 100
    assert stage.actions().teaching.job is None
    kind, message, remedy, _ = stage.notice()
    assert kind == "error" and "has been closed" in message, stage.notice()
    assert "Teach this style" in remedy

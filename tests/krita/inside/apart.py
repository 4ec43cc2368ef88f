"""Jobs share one thread, and Krita turns its event loop while it changes a document."""

from __future__ import annotations

from nuri.steps import Steps


def check_no_step_runs_within_another(stage):
    """A document that is changed while it is being changed makes Krita hang."""
    document = stage.document(320, 240)
    yield 300
    changing, nested, ended = [], [], []

    def change():
        for _ in range(20):
            changing.append(True)
            node = stage.layer(document, "Passing")
            stage.draw(document, node)
            node.remove()
            changing.clear()
            yield 0

    def look():
        while not ended:
            nested.append(bool(changing))
            yield 0

    jobs = Steps(change()), Steps(look())
    jobs[0].finished.connect(lambda _: ended.append(True))
    for job in jobs:
        job.failed.connect(lambda error: ended.append(error))
        job.start()
    yield from stage.until(lambda: ended, 60, "the changes")
    yield 100
    assert ended == [True], ended
    assert nested and not any(nested), nested

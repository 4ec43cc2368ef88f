"""Krita is quit in the middle of a check, as a user does who has saved everything."""

from __future__ import annotations

from krita import Krita

# Of the Layers docker, which handles changes in a later turn of the event loop.
_SETTLE_MS = 600
_LONGEST_MS = 60_000


def quit_krita():
    """Yields until Krita has ended; the check comes to no end."""
    yield _SETTLE_MS
    for document in Krita.instance().documents():
        document.waitForDone()
        document.setModified(False)
    Krita.instance().action("file_quit").trigger()
    yield _LONGEST_MS

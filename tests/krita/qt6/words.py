"""Where an animation is, in words, and what its colours depend on."""

from __future__ import annotations

from PyQt6.QtWidgets import QApplication

application = QApplication([])
import nuri  # noqa: E402, F401 - needs the application, as in Krita
from nuri.animation.job import manner_of  # noqa: E402
from nuri.animation.report import Count, stage  # noqa: E402
from nuri.jobs.request import Request  # noqa: E402
from protocol.messages import Progress  # noqa: E402


def said(ahead: int, fraction: float, seconds: float) -> str:
    """Of the first shot of 35 frames, a fifth of them done."""
    count = Count(105, set(), done=list(range(7)), ahead=ahead)
    return stage(count, Progress(job="a", fraction=fraction, seconds_left=seconds), 35)


# The seconds are those of all frames that the text counts, a second each.
assert said(70, 0.2, 28.0) == "Frame 8 of 105, 98 s left"
assert said(0, 0.2, 28.0) == "Frame 8 of 105, 28 s left"
assert said(70, 0.0, -1.0) == "Frame 8 of 105"
assert said(70, 1.0, 0.0) == "Frame 8 of 105"

MODELS = [{"id": "video", "title": "A film"}, {"id": "style/Dog", "revision": "1f"}]
OLDER = [{"id": "style/Dog", "title": "The style Dog"}]


def manner(model: str, soft: bool = False, models: list[dict[str, str]] = MODELS) -> str:
    return manner_of(Request("", "", "", model=model, soft=soft), models)


# Documents have noted these: frames that were made with no style are as good as they were.
assert [manner(""), manner("", True)] == ["", " soft"]
assert [manner("video"), manner("video", True)] == ["video", "video soft"]
assert manner("style/Dog", True, OLDER) == "style/Dog soft"
assert manner("style/Dog", True) == "style/Dog 1f soft"
again = [{"id": "style/Dog", "revision": "2e"}]
assert manner("style/Dog", True, again) != manner("style/Dog", True)

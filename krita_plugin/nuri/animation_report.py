"""What came of the frames of an animation, and how the artist is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocol.errors import ErrorCode, NuriError

from .animation_plan import Plan
from .notice import Kind, Notice, Offer

_MOST_TIMES = 6


@dataclass
class Count:
    """What came of the frames. ``keys``: times of the key frames; ``filled``: those of them that
    had mere hints. ``failed``: times of the other frames by why they failed. ``doubtful``: where
    frames are, as `doubts.pack` gives it, by time.
    """

    total: int
    keys: set[int]
    filled: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    failed: dict[str, list[int]] = field(default_factory=dict)
    doubtful: dict[int, bytes] = field(default_factory=dict)
    broken: NuriError | None = None

    @property
    def through(self) -> int:
        """How many frames are done with, well or badly."""
        return len(self.done) + sum(map(len, self.failed.values()))


def no_frame(count: Count) -> NuriError:
    """Not a single frame could be coloured."""
    reason = next(iter(count.failed), "The backend gave no frames")
    return NuriError(
        ErrorCode.bad_input, f"No frame could be coloured: {reason}", "look at the line layer"
    )


def summary(count: Count, plan: Plan, cancelled: bool) -> Notice:
    """One line for the artist about what is in the document now."""
    done = len(count.done)
    failed = count.through - done
    message = f"{done} frame{'s' if done != 1 else ''} coloured from {len(plan.keys)}"
    corrected = [key.time for key in plan.keys if key.source == "corrected"]
    if corrected:
        message += f" ({len(corrected)} corrected by you)"
    if len(plan.shots) > 1:
        message += f" in {len(plan.shots)} shots"
    if plan.kept:
        message += f", {len(plan.kept)} kept"
    missing = count.total - count.through
    details = [f"{reason}: frame {_times(times)}" for reason, times in count.failed.items()]
    remedy = ""
    if count.doubtful:
        seen = _times(sorted(count.doubtful))
        remedy = f"look at frame {seen}: some areas have no good match"
    if plan.keyless:
        message += f", {sum(map(len, plan.keyless))} without a coloured frame in their shot"
        starts = _times([shot[0] for shot in plan.keyless])
        remedy = f"colour a frame of the shot that begins at frame {starts}, then do it again"
    if failed:
        message += f", {failed} left empty"
        remedy = details[0]
    if cancelled or count.broken:
        message += f"; {missing} are missing"
        remedy = "cancelled; the finished frames are there"
    if count.broken:
        remedy = str(count.broken)
    offers = (Offer.next_doubtful, Offer.mark_doubtful) if count.doubtful else ()
    wants_work = cancelled or failed or plan.keyless
    kind = Kind.error if count.broken else Kind.advice if wants_work else Kind.done
    times = tuple(sorted(count.doubtful))
    return Notice(kind, message, remedy, offers, "\n".join(details), times)


def _times(times: Sequence[int]) -> str:
    shown = ", ".join(map(str, times[:_MOST_TIMES]))
    return shown + (" ..." if len(times) > _MOST_TIMES else "")

"""What came of the frames of an animation, and how the artist is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocol.errors import ErrorCode, NuriError
from protocol.messages import Progress

from ..made import Past
from ..notice import Kind, Notice
from .plan import Plan

_MOST_TIMES = 6


@dataclass
class Count:
    """What came of the frames. ``keys``: times of the key frames, ``asked``: of those in the shot
    under way; ``ahead``: how many frames the backend gets after that shot; ``filled``: of those
    that had mere hints; ``flaws``: by why they are of no use. ``failed``: times of the other frames
    by why they failed. By time: ``doubts``, how many areas of a frame are doubtful, and ``masks``
    of `doubts.pack`, which.
    """

    total: int
    keys: set[int]
    asked: list[int] = field(default_factory=list)
    ahead: int = 0
    filled: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    flaws: dict[str, set[int]] = field(default_factory=dict)
    failed: dict[str, list[int]] = field(default_factory=dict)
    doubts: dict[int, int] = field(default_factory=dict)
    masks: dict[int, bytes] = field(default_factory=dict)
    broken: NuriError | None = None

    @property
    def through(self) -> int:
        """How many frames are done with, well or badly."""
        return len(self.done) + sum(map(len, self.failed.values()))


def stage(count: Count, progress: Progress, frames: int) -> str:
    """Where the colouring is. ``progress``: of the shot under way, which is a job of ``frames``."""
    text = f"Frame {min(count.through + 1, count.total)} of {count.total}"
    # What is said of this shot holds for those after it, too.
    scale = 1 + count.ahead / max(frames * (1 - progress.fraction), 1e-6)
    seconds = progress.seconds_left * scale
    return text + (f", {round(seconds)} s left" if seconds >= 1 else "")


def no_frame(count: Count) -> NuriError:
    """Not a single frame could be coloured."""
    reason = next(iter(count.failed), "The backend gave no frames")
    return NuriError(
        ErrorCode.bad_input, f"No frame could be coloured: {reason}", "look at the line layer"
    )


def summary(count: Count, plan: Plan, result: Past, cancelled: bool) -> Notice:
    """What is in the document now, and what the artist can do about the rest of it.

    ``result``: what has been added, with the key frames that the lines had then.
    """
    failed = [f"{reason}: frame {_times(times)}" for reason, times in count.failed.items()]
    # That at 0 is none of the artist's: Krita makes it by itself.
    if blank := [time for time in plan.blank if time]:
        failed.append(f"The line art is blank: frame {_times(blank)}")
    doubtful = [time for time, made in result.frames.items() if made.doubts]
    newer = sorted(result.frames.keys() - {0, *plan.times})
    message, remedies = _done(count, plan), []
    if plan.keyless:
        message += f", {sum(map(len, plan.keyless))} without a coloured frame in their shot"
        starts = _times([shot[0] for shot in plan.keyless])
        remedies.append(f"colour a frame of the shot that begins at frame {starts}")
    if failed:
        message += f", {count.through - len(count.done) + len(blank)} left empty"
        remedies.append(failed[0])
    missing = count.total - count.through
    if missing and (cancelled or count.broken):
        message += f"; {missing} are missing"
        remedies.insert(0, str(count.broken or "cancelled; the finished frames are there"))
    if newer:
        message += f"; {len(newer)} new in the lines since then, not coloured yet"
        remedies.append(f"choose Colorize animation again for frame {_times(newer)}")
    if plan.is_unread:
        remedies.append(
            f'what you painted on the layer "{plan.former}" is not followed, as the canvas was '
            "resized or converted since: the layer stays, copy what you need to the new one"
        )
    if plan.astray:
        remedies.append(
            f'what you painted on frame {_times(plan.astray)} of the layer "{plan.former}" is not '
            "followed, as the lines have no key frame there: the layer stays, copy what you need"
        )
    flaws = [f"frame {_times(sorted(times))}: {why}" for why, times in count.flaws.items()]
    remedies += flaws[:1]
    wants_work = bool(remedies)
    if doubtful:
        message += f"; {len(doubtful)} with doubtful areas"
        remedies.append(f"look at frame {_times(doubtful)}: some areas have no good match")
    kind = Kind.error if count.broken else Kind.advice if wants_work else Kind.done
    return Notice(kind, message, ". ".join(map(_begun, remedies)), detail="\n".join(failed + flaws))


def _done(count: Count, plan: Plan) -> str:
    """How many frames came from how many."""
    done, given = len(count.done), len(plan.keys)
    message = f"{done} frame{'s' if done != 1 else ''} coloured from {given}"
    if not count.total:
        message = f"{given} coloured frame{'s' if given != 1 else ''} taken over"
    corrected = sum(key.source == "corrected" for key in plan.keys)
    remarks = [f"{corrected} corrected by you"] if corrected else []
    flawed = len(set().union(*count.flaws.values()))
    remarks += [f"{flawed} of no use"] if flawed else []
    message += f" ({', '.join(remarks)})" if remarks else ""
    message += f" in {len(plan.shots)} shots" if len(plan.shots) > 1 else ""
    return message + (f", {len(plan.kept)} kept" if plan.kept else "")


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _times(times: Sequence[int]) -> str:
    shown = ", ".join(map(str, times[:_MOST_TIMES]))
    return shown + (" ..." if len(times) > _MOST_TIMES else "")

"""What came of the frames of a shot, told as they come and in the end."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import ErrorCode, NuriError

from .animate_made import Made
from .animate_plan import KeyPicture, Plan, ShotFrame
from .report import ProgressReport, print_json, warn
from .review import Review

_MOST_NAMES = 8


@dataclass
class Run:
    """What came of the frames so far. ``shots``: the plan, cut into shots. ``failed``: names of
    frames by why they failed. ``keyless``: how many frames lie in shots without a key frame.
    ``stale``: names of those with the output of an earlier run, whose key frames are gone.
    ``useless``: the frames of key frames that are of no use. ``odd_profiles``: what was said of
    colour profiles. ``broken``: an error ended it, which would come again.
    """

    options: argparse.Namespace
    plan: Plan
    report: ProgressReport
    made: Made
    shots: list[Plan]
    review: Review | None = None
    coloured: int = 0
    copied: int = 0
    skipped: int = 0
    keyless: int = 0
    stale: list[str] = field(default_factory=list)
    broken: bool = False
    failed: dict[str, list[str]] = field(default_factory=dict)
    doubtful: list[str] = field(default_factory=list)
    useless: set[int] = field(default_factory=set)
    odd_profiles: set[str] = field(default_factory=set)

    def note(self, frame: ShotFrame, state: str, facts: dict[str, Any] | None = None) -> None:
        """One frame is done with."""
        if self.options.json:
            files = {"input": str(frame.source), "frame": frame.name, "output": str(frame.output)}
            print_json({**files, "state": state, **(facts or {})})

    def skip(self, frame: ShotFrame) -> None:
        """One frame was done before."""
        self.skipped += 1
        if self.review:
            self.review.skipped(frame)
        self.note(frame, "skipped")

    def fail(self, frame: ShotFrame, error: NuriError) -> None:
        """One frame is not to be had; each reason is told at the end, once."""
        reason = str(error).removeprefix(f"{frame.source}: ")
        self.failed.setdefault(reason, []).append(frame.name)
        if self.review:
            self.review.failed(frame, error)
        self.note(frame, "failed", {"error": error.info.as_facts()})

    def tell_flaws(self, shot: Plan, facts: dict[str, Any]) -> NuriError | None:
        """Say, once, what the facts of a frame say of the key frames of its shot.

        Where none of them is of use the error is returned, which says it of the first.
        """
        flaws = facts.get("flaws", ())
        said = [(*shot.keys[flaw["key"]], str(flaw["message"])) for flaw in flaws]
        hopeless = None
        if len(said) == len(shot.keys):
            (_, key, flaw), *said = said
            reason = flaw.partition(" (")[0]  # its remedy is for one of several
            action = "Colour one or two frames with lines, better the first and the last"
            hopeless = NuriError(ErrorCode.bad_input, f"{key}: {reason}", action)
        for frame, key, flaw in said:
            if frame.index not in self.useless:
                self.useless.add(frame.index)
                self.report.complain(f"note: {key}: {flaw}")
        return hopeless

    def tell_profile(self, key: KeyPicture) -> None:
        """Say, once, what is wrong with the colour profile of a key frame."""
        if key.warning and key.warning not in self.odd_profiles:
            self.odd_profiles.add(key.warning)
            self.report.complain(f"note: {key.warning}")

    def tell_shots(self) -> None:
        """Say where the film is cut, and which shots cannot be coloured."""
        keyless = [shot for shot in self.shots if not shot.keys]
        for shot in keyless:
            self.keyless += len(shot.frames)
            for frame in shot.frames:
                is_stale = self.made.is_left_over(frame)
                if is_stale:
                    self.stale.append(frame.name)
                self.note(frame, "no_key", {"stale": is_stale})
        if keyless:
            ranges = ", ".join(map(_range, keyless))
            plural = "s" if len(keyless) > 1 else ""
            self.report.complain(
                f"note: no key frame in the shot{plural} {ranges}; left uncoloured"
            )
        if self.stale:
            self.report.complain(
                f"note: {frames_named(self.stale)}: the pictures of an earlier run are still there,"
                " but not their key frames (give the shot one again, or delete the pictures)"
            )
            if self.review:
                self.review.stale(self.stale)
        if not (self.options.json or self.options.quiet):
            ranges = ", ".join(map(_range, self.shots))
            self.report.say(f"{len(self.shots)} shot{'s' * (len(self.shots) > 1)}: {ranges}")

    def summary(self, seconds: float) -> None:
        """Say what came of all of it, after so many seconds."""
        failed = sum(map(len, self.failed.values()))
        counts = {
            "frames": len(self.plan.frames),
            "coloured": self.coloured,
            "keys": self.copied,
            "skipped": self.skipped,
            "failed": failed,
            "keyless": self.keyless,
        }
        left = counts["frames"] - sum(count for name, count in counts.items() if name != "frames")
        if self.options.json and left < counts["frames"]:
            print_json({"summary": {**counts, "left": left, "seconds": round(seconds, 3)}})
        for reason, names in self.failed.items():
            self.report.complain(f"{frames_named(names)}: {reason}")
        is_idle = left == counts["frames"]
        if self.options.json or self.options.quiet or is_idle:
            return
        if self.doubtful:
            warn(f"{frames_named(self.doubtful)}: some regions have no good match; look at them")
        text = f"{self.options.output}: {_count(self.coloured, 'frame')} coloured"
        text += f", {_count(self.copied, 'key frame')}"
        text += f", {self.skipped} done before" if self.skipped else ""
        text += f", {failed} failed" if failed else ""
        text += f", {self.keyless} in shots without a key frame" if self.keyless else ""
        text += f", {left} left" if left else ""
        text += " (run the command again to go on)" if left and not self.broken else ""
        self.report.say(f"{text}, {seconds:.1f} s")


def frames_named(names: list[str]) -> str:
    """The frames of these names, in words; of many the first few."""
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"frame{'s' * (len(names) > 1)} {shown}" + (f" and {more} more" if more > 0 else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _range(shot: Plan) -> str:
    first, last = shot.frames[0].name, shot.frames[-1].name
    return first if first == last else f"{first} to {last}"

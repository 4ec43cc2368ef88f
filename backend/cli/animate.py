"""`nuri animate`: a whole shot from a few coloured key frames."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from backend.imaging import io
from backend.models.registry import FOR_SHOTS
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import Plane

from . import DONE, FAILED
from .animate_cuts import cut_plan
from .animate_film import check_film, missing, write_film
from .animate_plan import KeyPicture, Plan, ShotFrame, check_keys, make_plan
from .interrupt import Interrupt
from .parser import UsageError
from .report import ProgressReport, error_facts, print_json, warn
from .request import check_model, png_of
from .review import Review
from .streaming import Answer, FrameInput, Shoot, run_stream

_MOST_NAMES = 8


@dataclass
class _Run:
    """What came of the frames so far. ``shots``: the plan, cut into shots. ``failed``: names of
    frames by why they failed. ``keyless``: how many frames lie in shots without a key frame.
    """

    options: argparse.Namespace
    plan: Plan
    report: ProgressReport
    shots: list[Plan]
    review: Review | None = None
    coloured: int = 0
    copied: int = 0
    skipped: int = 0
    keyless: int = 0
    failed: dict[str, list[str]] = field(default_factory=dict)
    doubtful: list[str] = field(default_factory=list)

    def note(self, frame: ShotFrame, state: str, facts: dict[str, Any] | None = None) -> None:
        """One frame is done with."""
        if self.options.json:
            files = {"input": str(frame.source), "frame": frame.name, "output": str(frame.output)}
            print_json({**files, "state": state, **(facts or {})})

    def fail(self, frame: ShotFrame, error: NuriError) -> None:
        """One frame is not to be had; each reason is told at the end, once."""
        reason = str(error).removeprefix(f"{frame.source}: ")
        self.failed.setdefault(reason, []).append(frame.name)
        if self.review:
            self.review.failed(frame, error)
        self.note(frame, "failed", {"error": error_facts(error)})


def run(options: argparse.Namespace) -> int:
    """Colour a shot; 1 if a frame failed or no film came of it. Raises NuriError and UsageError."""
    started = time.monotonic()
    if not options.key and not options.key_layer:
        raise UsageError("there is no coloured frame (name one or more with --key)")
    plan = make_plan(
        options.frames, options.key, options.output, options.line_layer, options.key_layer
    )
    _check(options, plan)
    io.make_folder(options.output)
    io.check_writable(options.output / "any.png")
    if options.film:
        io.check_writable(options.film)
    silent = options.quiet or options.json
    interrupt = Interrupt()
    with ProgressReport(options.frames[0].name, silent=silent) as report, interrupt:
        review = Review(plan, options.output) if options.review else None
        state = _Run(options, plan, report, [plan], review)
        try:
            if options.cuts:
                state.shots = cut_plan(plan, interrupt, report)
                _tell_shots(state)
            _copy_keys(state)
            work = [(shot, _left(state, shot)) for shot in state.shots if shot.keys]
            total = sum(len(left) for _, left in work)
            done = 0
            for shot, left in work:
                if left:
                    _colour(state, shot, left, interrupt, done, total)
                done += len(left)
        finally:
            if review:
                review.write()
            _summary(state, time.monotonic() - started)
        is_whole = not options.film or _join(state)
    return DONE if is_whole and not state.failed else FAILED


def _join(state: _Run) -> bool:
    """Write the film, unless a frame is missing; returns whether it is there."""
    film = state.options.film
    absent = missing(state.plan)
    if absent:
        state.report.complain(f"{film} is not written: {_frames(absent)} missing")
        return False
    state.report(1.0, f"writing {film.name}")
    write_film(state.options, state.plan)
    if not (state.options.json or state.options.quiet):
        state.report.say(f"{film}: {len(state.plan.frames)} frames")
    return True


def _check(options: argparse.Namespace, plan: Plan) -> None:
    check_model(options.model, FOR_SHOTS)
    if not options.cuts:
        check_keys(plan)
    if options.film:
        check_film(options, plan)
    written = {frame.output.resolve() for frame in plan.frames}
    for path in (*(frame.source for frame in plan.frames), *options.key):
        if path.resolve() in written:
            raise UsageError(f"{path} would be written over (choose another folder for -o)")


def _copy_keys(state: _Run) -> None:
    """A key frame is its own result."""
    for frame, key in state.plan.keys:
        if key.film is not None:
            continue  # a layer may have mere hints, which the backend fills
        if frame.is_done([key.path]) and not state.options.force:
            state.skipped += 1
            state.note(frame, "skipped")
            continue
        _write_key(state, frame, key)


def _write_key(state: _Run, frame: ShotFrame, key: KeyPicture) -> None:
    lines_over = state.options.lines is not False
    io.write_atomic(frame.output, key.png(frame, lines_over=lines_over))
    state.copied += 1
    if state.review:
        state.review.key(frame)
    state.note(frame, "key")


def _tell_shots(state: _Run) -> None:
    """Say where the film is cut, and which shots cannot be coloured."""
    keyless = [shot for shot in state.shots if not shot.keys]
    for shot in keyless:
        state.keyless += len(shot.frames)
        for frame in shot.frames:
            state.note(frame, "no_key")
    if keyless:
        ranges = ", ".join(_range(shot) for shot in keyless)
        plural = "s" if len(keyless) > 1 else ""
        state.report.complain(f"note: no key frame in the shot{plural} {ranges}; left uncoloured")
    if not (state.options.json or state.options.quiet):
        ranges = ", ".join(_range(shot) for shot in state.shots)
        state.report.say(f"{len(state.shots)} shot{'s' * (len(state.shots) > 1)}: {ranges}")


def _range(shot: Plan) -> str:
    first, last = shot.frames[0].name, shot.frames[-1].name
    return first if first == last else f"{first} to {last}"


def _left(state: _Run, shot: Plan) -> list[ShotFrame]:
    """The frames of a shot that are still to be coloured."""
    taken = {frame.index for frame, key in shot.keys if key.film is None}
    keys = [key.path for _, key in shot.keys]
    left = []
    for frame in shot.frames:
        if frame.index in taken:
            continue
        if frame.is_done(keys) and not state.options.force:
            state.skipped += 1
            state.note(frame, "skipped")
        else:
            left.append(frame)
    return left


def _colour(
    state: _Run, shot: Plan, left: list[ShotFrame], interrupt: Interrupt, done: int, total: int
) -> None:
    """Colour the frames ``left`` of a shot; ``done`` of all the ``total`` frames came before."""
    options = state.options

    def progress(fraction: float, stage: str, seconds: float) -> None:
        at = done + fraction * len(left)
        place = min(total, int(at) + 1)
        # What is said of this shot holds for those after it, too.
        share = (total - at) / max(len(left) * (1 - fraction), 1e-6)
        rest = f", {_duration(seconds * share)} left" if seconds >= 0 and fraction < 1 else ""
        state.report(at / total, f"frame {place} of {total}{rest}")

    shoot = Shoot(
        task="animation",
        inputs=_key_inputs(shot),
        options={
            "keys": [frame.time for frame, _ in shot.keys],
            "outputs": ["picture", "confidence"] if state.review else ["picture"],
            "encode": "png",
            **({} if options.lines is None else {"lines": options.lines}),
            **({} if options.model is None else {"model": options.model}),
            "soft": options.soft,
        },
        frames=[
            FrameInput(frame, partial(_line_of, frame), {"time": frame.time}) for frame in left
        ],
        progress=progress,
    )
    for answer in run_stream(shoot, interrupt, no_daemon=options.no_daemon):
        _take(state, answer)


def _line_of(frame: ShotFrame) -> list[Plane]:
    return [frame.plane("line")]


def _key_inputs(plan: Plan) -> list[Plane]:
    inputs: list[Plane] = []
    for number, (frame, key) in enumerate(plan.keys):
        inputs.append(key.plane(f"key{number}"))
        inputs.append(frame.plane(f"line{number}"))
    return inputs


def _take(state: _Run, answer: Answer) -> None:
    frame: ShotFrame = answer.key
    if answer.error:
        state.fail(frame, answer.error)
        return
    if answer.facts.get("painted"):
        key = next(key for known, key in state.plan.keys if known.index == frame.index)
        _write_key(state, frame, key)
        return
    try:
        io.write_atomic(frame.output, png_of(answer.outputs["picture"]))
    except NuriError as error:
        if error.code is ErrorCode.disk_full:  # the next ones would fare no better
            raise
        state.fail(frame, error)
        return
    state.coloured += 1
    if state.review:
        state.review.coloured(frame, answer.facts, answer.outputs.get("confidence"))
    if answer.facts.get("doubtful"):
        state.doubtful.append(frame.name)
    state.note(frame, "done", answer.facts)


def _summary(state: _Run, seconds: float) -> None:
    failed = sum(map(len, state.failed.values()))
    counts = {
        "frames": len(state.plan.frames),
        "coloured": state.coloured,
        "keys": state.copied,
        "skipped": state.skipped,
        "failed": failed,
        "keyless": state.keyless,
    }
    left = counts["frames"] - sum(count for name, count in counts.items() if name != "frames")
    if state.options.json and left < counts["frames"]:
        print_json({"summary": {**counts, "left": left, "seconds": round(seconds, 3)}})
    for reason, names in state.failed.items():
        state.report.complain(f"{_frames(names)}: {reason}")
    is_idle = left == counts["frames"]
    if state.options.json or state.options.quiet or is_idle:
        return
    if state.doubtful:
        warn(f"{_frames(state.doubtful)}: some regions have no good match; look at them")
    text = f"{state.options.output}: {state.coloured} frames coloured, {state.copied} key frames"
    text += f", {state.skipped} done before" if state.skipped else ""
    text += f", {failed} failed" if failed else ""
    text += f", {state.keyless} in shots without a key frame" if state.keyless else ""
    text += f", {left} left (run the command again to go on)" if left else ""
    state.report.say(f"{text}, {seconds:.1f} s")


def _frames(names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"frame{'s' * (len(names) > 1)} {shown}" + (f" and {more} more" if more > 0 else "")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

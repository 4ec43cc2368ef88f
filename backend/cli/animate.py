"""`nuri animate`: a whole shot from a few coloured key frames."""

from __future__ import annotations

import argparse
import time
from functools import partial

from backend.imaging import disk
from backend.models.registry import FOR_SHOTS
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import Plane

from . import DONE, FAILED
from .animate_cuts import cut_plan
from .animate_film import check_film, missing, write_film
from .animate_made import Made
from .animate_plan import KeyPicture, Plan, ShotFrame, check_keys, key_files, make_plan
from .animate_report import Run, frames_named
from .interrupt import Interrupt
from .parser import UsageError
from .report import ProgressReport
from .request import check_model, png_of
from .review import Review
from .streaming import Answer, FrameInput, Shoot, run_stream


def run(options: argparse.Namespace) -> int:
    """Colour a shot; 1 if a frame failed or no film came of it. Raises NuriError and UsageError."""
    started = time.monotonic()
    if not options.key and not options.key_layer:
        raise UsageError("there is no coloured frame (name one or more with --key)")
    if options.fps and not options.film:
        raise UsageError("--fps is for a film (name it with --film, or leave out --fps)")
    options.key = key_files(options.key)
    plan = make_plan(
        options.frames, options.key, options.output, options.line_layer, options.key_layer
    )
    _check(options, plan)
    disk.make_folder(options.output)
    disk.check_writable(options.output / "any.png")
    if options.film:
        disk.check_writable(options.film)
    made = Made(options.output, options)
    silent = options.quiet or options.json
    interrupt = Interrupt()
    with ProgressReport(options.frames[0].name, silent=silent) as report:
        with interrupt:
            review = Review(plan, options.output, made) if options.review else None
            state = Run(options, plan, report, made, [plan], review)
            try:
                if options.cuts:
                    state.shots = cut_plan(plan, interrupt, report)
                    state.tell_shots()
                _make(state, interrupt)
            except NuriError:
                state.broken = True
                raise
            finally:
                made.close()
                if review:
                    review.write()
                state.summary(time.monotonic() - started)
        if options.film and interrupt.requested:
            raise KeyboardInterrupt
        # Nothing of a film is of use before its end: Ctrl-C breaks off at once.
        is_whole = not options.film or _join(state)
    return DONE if is_whole and not state.failed else FAILED


def _join(state: Run) -> bool:
    """Write the film, unless a frame is missing; returns whether it is there."""
    film = state.options.film
    absent = missing(state.plan, state.stale)
    if absent:
        state.report.complain(f"{film} is not written: {frames_named(absent)} missing")
        return False
    state.report(1.0, f"writing {film.name}")
    layer = write_film(state.options, state.plan)
    if not (state.options.json or state.options.quiet):
        where = f" on the layer {layer!r}" if layer else ""
        state.report.say(f"{film}: {len(state.plan.frames)} frames{where}")
    return True


def _check(options: argparse.Namespace, plan: Plan) -> None:
    check_model(options.model, FOR_SHOTS)
    if not options.cuts:
        check_keys(plan)
    if options.film:
        check_film(options, plan)
    written = {disk.resolved(frame.output) for frame in plan.frames}
    for path in (*(frame.source for frame in plan.frames), *options.key):
        if disk.resolved(path) in written:
            raise UsageError(f"{path} would be written over (choose another folder for -o)")
    if disk.resolved(options.output) == disk.resolved(options.frames[0]):
        raise UsageError("the results would lie among the frames (choose another folder for -o)")


def _make(state: Run, interrupt: Interrupt) -> None:
    """Copy the key frames and colour the others, as far as they are not done."""
    copies = _copies_left(state)
    work = [(shot, _left(state, shot, interrupt)) for shot in state.shots if shot.keys]
    state.made.save()
    for frame, key in copies:
        _write_key(state, frame, key)
    total = sum(len(left) for _, left in work)
    done = 0
    for shot, left in work:
        if left:
            _colour(state, shot, left, interrupt, done, total)
        done += len(left)


def _copies_left(state: Run) -> list[tuple[ShotFrame, KeyPicture]]:
    """The key frames that are not there yet; each is its own result."""
    left = []
    for frame, key in state.plan.keys:
        if key.film is not None:
            continue  # a layer may have mere hints, which the backend fills
        if state.made.is_copied(frame, key):
            state.skip(frame)
        else:
            left.append((frame, key))
    return left


def _write_key(state: Run, frame: ShotFrame, key: KeyPicture) -> None:
    lines_over = state.options.lines is not False
    disk.write_atomic(frame.output, key.png(frame, lines_over=lines_over))
    state.tell_profile(key)
    state.made.note(frame)
    state.copied += 1
    if state.review:
        state.review.key(frame)
    state.note(frame, "key")


def _left(state: Run, shot: Plan, interrupt: Interrupt) -> list[ShotFrame]:
    """The frames of a shot that are still to be coloured. Raises KeyboardInterrupt once Ctrl-C has
    been pressed."""
    taken = {frame.index for frame, key in shot.keys if key.film is None}
    left = []
    for frame in shot.frames:
        if interrupt.requested:
            raise KeyboardInterrupt
        state.report(0.0, "looking for what has changed")
        if frame.index in taken:
            continue
        if state.made.is_done(frame, shot):
            state.skip(frame)
        else:
            left.append(frame)
    return left


def _colour(
    state: Run, shot: Plan, left: list[ShotFrame], interrupt: Interrupt, done: int, total: int
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
        inputs=_key_inputs(state, shot),
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
    answers = run_stream(shoot, interrupt, no_daemon=options.no_daemon)
    for number, answer in enumerate(answers):
        hopeless = state.tell_flaws(shot, answer.facts)
        if hopeless:
            for frame in left[number:]:
                state.fail(frame, hopeless)
            return
        _take(state, answer)


def _line_of(frame: ShotFrame) -> list[Plane]:
    return [frame.plane("line")]


def _key_inputs(state: Run, shot: Plan) -> list[Plane]:
    inputs: list[Plane] = []
    for number, (frame, key) in enumerate(shot.keys):
        state.tell_profile(key)
        inputs.append(key.plane(f"key{number}"))
        inputs.append(frame.plane(f"line{number}"))
    return inputs


def _take(state: Run, answer: Answer) -> None:
    frame: ShotFrame = answer.key
    if answer.error:
        state.fail(frame, answer.error)
        return
    if answer.facts.get("painted"):
        key = next(key for known, key in state.plan.keys if known.index == frame.index)
        _write_key(state, frame, key)
        return
    try:
        disk.write_atomic(frame.output, png_of(answer.outputs["picture"]))
    except NuriError as error:
        if error.code is ErrorCode.disk_full:  # the next ones would fare no better
            raise
        state.fail(frame, error)
        return
    state.made.note(frame)
    state.coloured += 1
    if state.review:
        state.review.coloured(frame, answer.facts, answer.outputs.get("confidence"))
    if answer.facts.get("doubtful"):
        state.doubtful.append(frame.name)
    state.note(frame, "done", answer.facts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

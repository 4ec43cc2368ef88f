"""`nuri-train style`: coloured frames to weights that colour more like them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from backend.weights import styles
from training.errors import TrainingError
from training.matching.style import teach, write_style
from training.matching.style_frames import plan_lesson

SUFFIX = ".safetensors"


def _place(name: str) -> Path:
    if not name:
        raise TrainingError("the style has no name", "give it one with --name, or a file with -o")
    try:
        return styles.file_for(name)
    except ValueError as error:
        raise TrainingError(str(error)) from error


def style(options: argparse.Namespace) -> int:
    """Teach, measure and write; nothing is written when held frames came out worse.

    Raises TrainingError.
    """
    output = options.output or _place(options.name)
    if output.suffix != SUFFIX:
        raise TrainingError(f"{output} is no {SUFFIX} file", "let its name end so")

    def say(line: str) -> None:
        sys.stderr.write(f"nuri-train: {line}\n")

    with tempfile.TemporaryDirectory(prefix="nuri-style-") as cache:
        lesson = plan_lesson(options.frames, Path(cache), say, options.check)
        matcher, facts, rows = teach(
            lesson,
            Path(cache),
            options.name or output.stem,
            options.steps,
            seed=options.seed,
            quiet=options.quiet,
        )
    sys.stdout.write(f"{facts.frames} frames, {facts.steps} steps; right on {facts.held} others\n")
    for part in ("regions", "places"):
        old, new = getattr(facts.before, part), getattr(facts.after, part)
        sys.stdout.write(f"{part:8} {old:.4f} before, {new:.4f} after\n")
    if facts.after.mean < facts.before.mean and not options.keep:
        raise TrainingError(
            "the style colours the held-out frames worse, so it was not written",
            "give more frames or fewer steps, or --keep it",
        )
    picture = write_style(output, matcher, facts, rows)
    sys.stdout.write(f"{output}\n{picture}\n")
    if options.output is None:
        sys.stdout.write(f'Choose it with --model "{styles.PREFIX}{options.name}"\n')
    return 0

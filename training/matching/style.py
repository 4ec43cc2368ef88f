"""Teach a style: the shipped region matcher, fine-tuned on an artist's coloured frames.

A few steps on a few frames, the low-shot step of Shi et al. 2023 (section 5.3) for our matcher.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch

from backend.models.architectures import load_model
from backend.models.matching import RegionMatcher
from backend.weights import store
from protocol.errors import NuriError
from training.engine.batches import collate
from training.engine.progress import Progress
from training.errors import TrainingError
from training.export import save_network

from .drawings import Subject, prepare
from .evaluation import likeliest_paint
from .recipe import MatchingTask
from .samples import NONE, STILL, MatchingPairs, Mixture
from .style_frames import Frame, Lesson
from .style_sheet import tiles, write_sheet

BASE = "matching"  # the id of the weights that are taught
RATE, BATCH = 1e-4, 2
MIXTURE = Mixture(hints=0.1, self=0.2, recolor=0.5, flip=0.0)
ROWS = 3  # of the picture


@dataclass(frozen=True)
class Share:
    """What has its true paint: of the regions of one paint, and of places in all closed areas.

    Places are drawn evenly among areas large and small; lines need not part the paints of an area.
    """

    regions: float
    places: float

    @property
    def mean(self) -> float:
        return (self.regions + self.places) / 2


@dataclass(frozen=True)
class Taught:
    """A style's figures. ``frames``: trained on. ``held``: measured on, before and after."""

    name: str
    date: str
    frames: int
    held: int
    steps: int
    before: Share
    after: Share


class Questions(MatchingPairs):
    """Held frames with their references, each as one sample."""

    def __init__(self, asked: tuple[tuple[Frame, Frame], ...], cache: Path) -> None:
        subject = Subject("style", "held", tuple(frame for frame, _ in asked))
        super().__init__([subject], cache, count=len(asked), mixture=STILL)
        self._asked = asked

    def draw(self, index: int, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        target, source = (prepare(*frame, self._cache) for frame in self._asked[index])
        return self._sample(target, source, "other", rng)


def teach(
    lesson: Lesson,
    cache: Path,
    name: str,
    steps: int,
    *,
    seed: int = 0,
    quiet: bool = False,
) -> tuple[RegionMatcher, Taught, list[list[np.ndarray]]]:
    """Fine-tune; returns the network as it is written (fp16), the figures, rows of the picture.

    Raises TrainingError when the shipped weights are missing or the loss is no number.
    """
    # a core stays free for the program in which the artist goes on
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - 1))
    matcher = base_matcher()
    task = MatchingTask(matcher, {"pixel": 0.5})
    questions = Questions(lesson.asked, cache)
    before = measure(task, questions)
    old = _answers(task, questions)
    _train(task, lesson, cache, steps, seed, quiet)
    matcher.half().float().eval()  # measured as written
    after = measure(task, questions)
    new = _answers(task, questions)
    rows = []
    for index in old:
        target, source = (prepare(*frame, cache) for frame in lesson.asked[index])
        batch = collate([questions[index]])
        rows.append(tiles(batch, source.palette, target.color, [old[index], new[index]]))
    facts = Taught(name, date.today().isoformat(), lesson.frames, lesson.held, steps, before, after)
    return matcher.half(), facts, rows


def measure(task: MatchingTask, questions: Questions) -> Share:
    """How much of the held frames gets its true paint."""
    right, total = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for index in range(len(questions)):
        batch = collate([questions[index]])
        with torch.inference_mode():
            found = task.generate(batch)
        large = batch["weight"][0] == 1
        for at, (scores, truth, counted) in enumerate(
            (
                (found["main"], batch["truth"][0], large),
                (found["pixels"], batch["pixel_truth"][0], True),
            )
        ):
            counted = counted & (truth > NONE)
            right[at] += int((likeliest_paint(scores, batch) == truth)[counted].sum())
            total[at] += int(counted.sum())
    regions, places = (float(share) for share in right / np.maximum(1, total))
    return Share(regions, places)


def write_style(
    path: Path, matcher: RegionMatcher, facts: Taught, rows: list[list[np.ndarray]]
) -> Path:
    """Write the style and the picture beside it, whose path is returned. Raises TrainingError."""
    picture = path.with_suffix(".png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"cannot write into {path.parent} ({error.strerror})", "choose another folder"
        ) from error
    write_sheet(picture, rows)
    save_network(path, matcher, {"style": asdict(facts)})
    return picture


def base_matcher() -> RegionMatcher:
    """The shipped region matcher. Raises TrainingError."""
    try:
        model = load_model(store.file_of(BASE)).float()
    except NuriError as error:
        raise TrainingError(str(error)) from error
    if not isinstance(model, RegionMatcher):
        raise TrainingError(f"the weights {BASE!r} are no region matcher", "mend the manifest")
    return model


def _answers(task: MatchingTask, questions: Questions) -> dict[int, torch.Tensor]:
    """The paint of every pixel of a few questions."""
    step = max(1, len(questions) // ROWS)
    answers = {}
    for index in range(0, len(questions), step)[:ROWS]:
        batch = collate([questions[index]])
        batch["pixel"] = torch.arange(batch["target_label"][0].numel())[None]
        with torch.inference_mode():
            answers[index] = likeliest_paint(task.generate(batch)["pixels"], batch)
    return answers


def _train(
    task: MatchingTask, lesson: Lesson, cache: Path, steps: int, seed: int, quiet: bool
) -> None:
    pairs = MatchingPairs(
        list(lesson.subjects),
        cache,
        count=steps * BATCH,
        seed=seed,
        mixture=MIXTURE,
    )
    torch.manual_seed(seed)
    optimiser = torch.optim.AdamW(task.generator.parameters(), RATE)
    task.generator.train()
    began = time.monotonic()
    with Progress("style", steps, quiet=quiet) as progress:
        for step in range(steps):
            batch = collate([pairs[BATCH * step + part] for part in range(BATCH)])
            terms = task.generator_terms(batch, task.generate(batch))
            loss = torch.stack([term.weighted for term in terms.values()]).sum()
            if not torch.isfinite(loss):
                raise TrainingError(
                    f"the loss of step {step + 1} is no number", "take out the odd frames"
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate = BATCH * (step + 1) / max(1e-9, time.monotonic() - began)
            progress(step + 1, {"loss": loss.item()}, rate)
    task.generator.eval()

"""How the colour chooser is trained: the commonest colours of drawings, cross entropy on regions.

The region matcher that it looks through stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from backend.imaging.color import lab_to_rgb, rgb_to_lab
from backend.models.choosing import ColorChooser
from backend.models.matching import RegionMatcher
from backend.regions.describe import describe
from backend.regions.match import color_facts, network_picture
from training.engine import Batch, Generated, Optimiser, Recipe, Task, Term, Track, checkpoint
from training.engine.batches import collate

from .drawings import ByKind, RandomSamples, Subject, find_subjects, prepare
from .recipe import cosine, drawing_of
from .samples import REGIONS, Shown, fields_of, padded, truth_of, warp_field
from .style import base_matcher

_EPOCH = 4096
_PALETTE_DRAWINGS = 1500
_SPREAD = 0.1  # of CIELAB, in hundredths: how near a colour counts as the one that was asked for
CLOSE = 12.0  # in CIELAB: a chosen colour nearer than this to the true one is right


class ColoredDrawings(RandomSamples):
    """A sample for each (epoch, index): a line drawing with some of its colours.

    ``target_*``: as for `MatchingPairs`, with the known colours in ``target_color``. ``wanted``
    (N, 3): L, a, b in hundredths of each region. ``weight`` (N,): 0 where none is asked for.
    """

    def __init__(
        self,
        subjects: list[Subject],
        cache: Path,
        *,
        count: int,
        seed: int = 0,
        training: bool = True,
        known: float | None = None,
    ) -> None:
        super().__init__(count, seed)
        self._cache, self._training, self._known = cache, training, known
        self._drawings = ByKind(subjects)

    def draw(self, index: int, rng: np.random.Generator) -> dict[str, Tensor]:
        drawing = prepare(*self._drawings.draw(rng), self._cache)
        strength = 0.6 if self._training else 0.0
        flip = self._training and rng.random() < 0.5
        shown = Shown(drawing, warp_field(rng, strength, flip), rng, self._training)
        regions = describe(shown.regions, REGIONS)
        paint, _ = truth_of(shown, regions, drawing.palette, drawing.palette)
        colors = np.zeros((len(paint), 3), np.uint8)
        asked = paint >= 0
        colors[asked] = drawing.palette[paint[asked]]
        share = self._known
        if share is None:
            share = 0.0 if rng.random() < 0.3 else rng.uniform(0, 0.9)
        known = asked & (rng.random(len(paint)) < share)
        sample = fields_of("target", network_picture(shown.ink), regions, None)
        sample["target_color"] = padded(color_facts(colors, known, len(paint)), 0)
        facts = color_facts(colors, np.ones(len(paint), bool), len(paint))
        sample["wanted"] = padded(facts[:, :3], 0)
        weight = np.sqrt(regions.share) * (asked & ~known)
        sample["weight"] = padded(weight.astype(np.float32), 0)
        return sample


class ChoosingTask(Task):
    """Cross entropy with the palette's colours by how near they are to the true one."""

    def __init__(self, chooser: ColorChooser, matcher: RegionMatcher) -> None:
        super().__init__()
        self.generator, self.matcher = chooser, matcher.eval().requires_grad_(False)
        self.trained = (chooser,)
        lab = rgb_to_lab(chooser.palette.cpu().numpy()[None])[0] / np.float32(100)
        self.lab = torch.from_numpy(lab)

    def generate(self, batch: Batch) -> Generated:
        drawing = drawing_of(batch, "target")
        color = drawing.color
        with torch.no_grad():
            bare = drawing_of({**batch, "target_color": torch.zeros_like(color)}, "target")
            tokens = self.matcher.features(bare).tokens
        return {"main": self.generator(tokens, color, drawing.valid)}

    def generator_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        main, weight = generated["main"], batch["weight"]
        apart = torch.cdist(batch["wanted"], self.lab.to(main).expand(len(main), -1, -1))
        target = functional.softmax(-((apart / _SPREAD) ** 2), -1)
        loss = -(target * main).sum(-1)
        return {"g/color": Term((loss * weight).sum() / weight.sum().clamp(min=1e-6))}

    def preview(self, batch: Batch) -> list[Tensor]:
        return [1 - batch["target_picture"][:, :1]]


def build(config: Mapping[str, Any], data: Path, cache: Path) -> Recipe:
    """The recipe, on the shipped matcher. Raises TrainingError."""
    model, train = config["model"], config["train"]
    matcher = base_matcher()
    torch.manual_seed(train["seed"])
    chooser = _chooser(model, matcher)
    subjects = find_subjects(data, "train")
    seed = config["data"]["seed"]
    chooser.palette.copy_(torch.from_numpy(common_colors(subjects, cache, model["colors"], seed)))
    drawings = ColoredDrawings(subjects, cache, count=_EPOCH, seed=seed)
    task = ChoosingTask(chooser, matcher)
    return Recipe(
        paper="choosing",
        stage="main",
        config=dict(config),
        networks={"generator": chooser},
        tracks=[Track("main", task, "G", drawings, train["batch"])],
        optimisers={"generator": Optimiser(("generator",), cosine(config), (0.9, 0.99))},
        steps=train["steps"],
        data_name=f"{len(subjects)} subjects of {data}",
        exports={"generator": ("choosing", chooser.options)},
        architecture=("model",),
    )


def _chooser(table: Mapping[str, Any], matcher: RegionMatcher) -> ColorChooser:
    """A fresh network of the ``model`` table for the tokens of a matcher."""
    options = {key: value for key, value in table.items() if key != "name"}
    return ColorChooser(**options, dim=matcher.options["dim"])


def common_colors(subjects: list[Subject], cache: Path, count: int, seed: int) -> np.ndarray:
    """(count, 3) float32 RGB in [0, 1]: centres of the colours of regions, in CIELAB."""
    rng = np.random.default_rng(seed)
    drawings = [drawing for subject in subjects for drawing in subject.drawings]
    chosen = rng.permutation(len(drawings))[:_PALETTE_DRAWINGS]
    paints = [prepare(*drawings[int(index)], cache).palette for index in chosen]
    lab = rgb_to_lab(np.concatenate(paints)[None].astype(np.float32) / 255)[0]
    cv2.setRNGSeed(seed)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 0.1)
    labels = np.zeros((len(lab), 1), np.int32)
    _, _, centres = cv2.kmeans(lab, count, labels, stop, 3, cv2.KMEANS_PP_CENTERS)
    rgb = lab_to_rgb(centres[None].astype(np.float32))[0]
    return np.asarray(np.clip(rgb, 0, 1), np.float32)


def evaluate(
    config: Mapping[str, Any], path: Path, data: Path, cache: Path, count: int = 100
) -> dict[str, Any]:
    """Share of regions, by their weight, whose likeliest colour is `CLOSE` to the true one.

    By what is known of the drawing (nothing, half of its colours) and by set. Returns ``metrics``
    and ``count``. Raises TrainingError.
    """
    matcher = base_matcher()
    chooser = _chooser(config["model"], matcher)
    checkpoint.load_weights(path, {"generator": chooser}, dict(config), ("model",))
    task = ChoosingTask(chooser.eval(), matcher)
    subjects = find_subjects(data, "dev")
    metrics: dict[str, float] = {}
    for case, known in (("nothing", 0.0), ("half", 0.5)):
        for kind in sorted({subject.kind for subject in subjects}):
            some = [subject for subject in subjects if subject.kind == kind]
            drawings = ColoredDrawings(some, cache, count=count, training=False, known=known)
            metrics[f"{case}/{kind}"] = _share_right(task, drawings)
    return {"metrics": metrics, "count": count}


def _share_right(task: ChoosingTask, drawings: ColoredDrawings) -> float:
    right = total = 0.0
    for index in range(len(drawings)):
        batch = collate([drawings[index]])
        with torch.inference_mode():
            best = task.generate(batch)["main"][0].argmax(-1)
        apart = 100 * torch.linalg.norm(task.lab[best] - batch["wanted"][0], dim=-1)
        weight = batch["weight"][0]
        right += float(weight[apart < CLOSE].sum())
        total += float(weight.sum())
    return right / max(1e-9, total)

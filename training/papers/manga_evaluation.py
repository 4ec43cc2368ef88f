"""MangaGAN's protocol [7]: FID of colourings of black-and-white pages, with nobody's hints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.data import SampleDataset
from training.data.hints import encode_hint, sparse_mask
from training.engine import Batch
from training.extractor import load_extractor
from training.papers import sources
from training.papers.pieces import Config, make_network, to_bytes, unit
from training.papers.scoring import Evaluation, Examination, Scored, merged
from training.pretrained import Degradations
from training.ranges import require

_GRAY_SPREAD = 60 / 255


def evaluate(
    config: Config, data: Path | None, path: Path | None, out: Path, device: str
) -> Evaluation:
    """FID between colour pages and colourings of black-and-white pages [7]; the rest by pairs.

    Where no black-and-white pages are given, FID is by pairs, too, which is recorded.
    """
    require("eval.auto_hint_std", config["eval"]["auto_hint_std"], 0, 1)
    degradations = Degradations()
    examination = Examination(config, out, device, degradations)
    generator = make_network(config["model"])
    if path is None:
        load_extractor(generator, degradations)
    examination.load({"generator": generator}, path, config)
    names, settings = config["eval"]["metrics"], config["eval"]
    distances = [name for name in names if name.startswith("fid")]
    given = sources.whole_pages(config, data) if distances else None
    done = []
    if given is not None:
        done.append(examination.score(_manga(generator, examination, given, settings), distances))
    elif distances:
        degradations.note("pages", "colour", "no black-and-white ones are given")
    paired = [name for name in names if given is None or name not in distances]
    if paired:
        dataset = sources.samples(config, data, "test")
        batches = examination.batches(dataset, examination.choose(dataset))
        done.append(examination.score(_pairs(generator, batches, settings), paired, "pair"))
    return merged(done)


def _manga(
    generator: nn.Module,
    examination: Examination,
    given: tuple[SampleDataset, SampleDataset],
    settings: Config,
) -> Iterator[Scored]:
    """Colourings of whole black-and-white pages beside as many held-out colour pages."""
    rng = np.random.default_rng(settings["seed"])
    most = min(map(len, given))
    pages, colored = (  # one at a time, for pages differ in size
        examination.batches(dataset, examination.choose(dataset, most), size=1) for dataset in given
    )
    for batch, other in zip(pages, colored, strict=False):
        height, width = batch["valid"][0].tolist()
        ours = unit(_colouring(generator, batch, rng, settings))[..., :height, :width]
        yield Scored(
            prediction=to_bytes(ours),
            target=to_bytes(ours),  # there is no truth: the distributions alone are compared
            columns=[batch["line"][..., :height, :width], ours],
            names=batch["name"],
            fid_reference=to_bytes(unit(other["color"])),
        )


def _colouring(
    generator: nn.Module, batch: Batch, rng: np.random.Generator, settings: Config
) -> Tensor:
    """(B, 3, H, W) in [-1, 1] without hints, or after a second pass with the result's own."""
    inputs = (batch["line"], batch["distance"])
    first = generator(*inputs, torch.zeros_like(batch["hint"]))
    main: Tensor = first.main
    if settings["auto_hint"]:
        hint = automatic_hint(main, rng, settings["auto_hint_std"], settings["ignore_gray"])
        main = generator(*inputs, hint, features=first.features).main
    return main


def _pairs(generator: nn.Module, batches: Iterator[Batch], settings: Config) -> Iterator[Scored]:
    rng = np.random.default_rng(settings["seed"])
    for batch in batches:
        main = _colouring(generator, batch, rng, settings)
        line, ours, truth = batch["line"], unit(main), unit(batch["color"])
        yield Scored(
            prediction=to_bytes(ours),
            target=to_bytes(truth),
            columns=[line, ours, truth],
            names=batch["name"],
        )


def automatic_hint(
    result: Tensor, rng: np.random.Generator, std: float, ignore_gray: bool
) -> Tensor:
    """Sparse hint (B, 4, H, W) with the result's own colours; ``std`` of the hint law [6, step 6].

    ``ignore_gray`` keeps only pixels whose |r-g| + |r-b| + |g-b| is above 60/255, in [-1, 1] units.
    """
    hints = []
    for picture in result.float().cpu():
        mask = sparse_mask(tuple(picture.shape[-2:]), std, rng)
        if ignore_gray:
            red, green, blue = picture
            spread = (red - green).abs() + (red - blue).abs() + (green - blue).abs()
            mask &= (spread > _GRAY_SPREAD).numpy()
        hints.append(encode_hint(picture, mask))
    return torch.stack(hints).to(result.device)

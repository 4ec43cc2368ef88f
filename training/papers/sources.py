"""Which data a configuration means: the seam between recipes and `training.data`.

``split`` is "train" or "dev"; without a folder the drawings are generated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from backend.imaging.xdog import XDoG
from backend.models.color import LabCodec
from training.data import (
    MangaDataset,
    PairedLineDataset,
    PhotoDataset,
    ShotDataset,
    data_hash,
)
from training.data.hints import PixelHints
from training.data.lines import line_source
from training.data.sets import (
    describe,
    open_manga,
    open_pages,
    open_pairs,
    open_photos,
    open_shots,
)
from training.engine import Batch, Samples
from training.engine.batches import mixed_seed

Config = Mapping[str, Any]
WHOLE_SHOTS = "full"
_TRIPLET = 3  # frames of an in-betweening task


def pairs(config: Config, data: Path | None, split: str) -> PairedLineDataset:
    """Line drawings with their colours and, in training, a warped reference (aaldc)."""
    settings, training = config["data"], split == "train"
    return PairedLineDataset(
        open_pairs(settings, data, split),
        settings["size"],
        seed=settings["seed"],
        warp=settings["warp"] and training,
        recolor=settings["recolor"] and training,
        lines=line_source(settings["lines"]),
    )


def photos(config: Config, data: Path | None, split: str, codec: LabCodec) -> PhotoDataset:
    """Lightness and chroma in the codec's units (ibn_gan, smsanet)."""
    settings, training = config["data"], split == "train"
    varied = config["paper"] == "smsanet" and training  # crops and flips are that paper's alone
    return PhotoDataset(
        open_photos(settings, data, split),
        settings["size"],
        codec,
        seed=settings["seed"],
        interpolation=settings.get("interpolation", "bilinear"),
        crop=varied,
        flip=varied,
        gray_threshold=settings.get("gray_threshold", 0.0) if training else 0.0,
        recolor=settings["recolor"] and training,
    )


def frames(config: Config, data: Path | None, *, finetuning: bool = False) -> ShotDataset:
    """Every frame once as the target within a clip: the transform network's samples (video)."""
    return _shots(config, data, "frame", finetuning)


def clips(config: Config, data: Path | None, *, finetuning: bool = False) -> ShotDataset:
    """Windows of successive frames: the refinement network's samples (video)."""
    return _shots(config, data, "window", finetuning)


def test_clips(config: Config, data: Path | None) -> ShotDataset:
    """Clips, triplets or whole shots of the series that is measured (video)."""
    settings, wanted = config["data"], config["eval"]
    whole = wanted["clip"] == WHOLE_SHOTS
    size = _TRIPLET if wanted["interpolation"] else settings["clip"]
    return ShotDataset(
        open_shots(settings, data, "dev", series=wanted["series"]),
        settings["size"],
        size if whole or wanted["interpolation"] else int(wanted["clip"]),
        seed=settings["seed"],
        mode="shot" if whole else "window",
        references=0,
        lines=line_source(settings["lines"]),
        distance_norm=settings["distance_norm"],
    )


def pages(config: Config, data: Path | None, split: str) -> MangaDataset:
    """Colour pages with XDoG, distance field and hint; whole pages in ``dev`` (manga)."""
    training = split == "train"
    source = open_pages(config["data"], data, split)
    return _pages(config, source, crop=training, hints=_hints(config))


def monochrome_pages(config: Config, data: Path | None) -> Samples:
    """Black-and-white pages, each beside a random colour page, for fine-tuning (manga)."""
    source = open_manga(config["data"], data, "train")
    monochrome = _pages(config, source, crop=True, hints=_hints(config))
    return PagesBeside(monochrome, pages(config, data, "train"), config["data"]["seed"])


class CheckedSamples(Samples, Protocol):
    """Samples that can be looked through; ``degraded`` says what stands in for absent files."""

    degraded: list[str]

    def check(self) -> list[str]:
        """What is wrong with which file."""


class PagesBeside:
    """Line, distance field and empty hint of one set with the colours of another."""

    def __init__(self, pages: Samples, colored: Samples, seed: int) -> None:
        self.pages, self.colored, self.seed = pages, colored, seed

    def __len__(self) -> int:
        return len(self.pages)

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        epoch, index = key
        partner = mixed_seed(self.seed, epoch, index) % len(self.colored)
        page = dict(self.pages[key])
        page["hint"] = torch.zeros_like(page["hint"])
        page["color"] = self.colored[(epoch, partner)]["color"]
        page.pop("regions", None)
        return page


def of_paper(config: Config, data: Path | None, split: str) -> CheckedSamples:
    """The samples of a configuration, by its paper."""
    paper = config["paper"]
    if paper == "video":
        return clips(config, data) if split == "train" else test_clips(config, data)
    if paper in ("ibn_gan", "smsanet"):
        codec = LabCodec.named("ibn" if paper == "ibn_gan" else "zhang")
        return photos(config, data, split, codec)
    return pairs(config, data, split) if paper == "aaldc" else pages(config, data, split)


def facts(config: Config, data: Path | None, dataset: CheckedSamples) -> dict[str, Any]:
    """What a recipe records of its data: name and hash."""
    return {
        "data_name": describe(config["data"], data),
        "data_hashes": {"train": data_hash(dataset)},
    }


def exports(config: Config, parts: Mapping[str, str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """network -> (architecture, options) of the configuration's tables ("model", ...)."""
    found = {}
    for network, dotted in parts.items():
        table: Any = config
        for key in dotted.split("."):
            table = table[key]
        options = {key: value for key, value in table.items() if key != "name"}
        if options.get("mask_channels") == 0:  # TOML has no None
            options["mask_channels"] = None
        found[network] = (table["name"], options)
    return found


def limited(dataset: Samples, limit: int) -> int:
    """How many samples an evaluation looks at."""
    return min(len(dataset), limit) if limit else len(dataset)


def _shots(config: Config, data: Path | None, mode: str, finetuning: bool) -> ShotDataset:
    settings = config["data"]
    series = config["eval"]["series"] if finetuning else settings["series"]
    wanted = {**settings, "limit": config["finetune"]["shots"]} if finetuning else settings
    return ShotDataset(
        open_shots(wanted, data, "train", series=series),
        settings["size"],
        settings["clip"],
        seed=settings["seed"],
        mode=mode,
        references=config["references"]["count"] if mode == "frame" else 0,
        lines=line_source(settings["lines"]),
        distance_norm=settings["distance_norm"],
        recolor=settings["recolor"],
    )


def _pages(config: Config, source: Any, *, crop: bool, hints: PixelHints) -> MangaDataset:
    settings = config["data"]
    options = {key: value for key, value in settings["xdog"].items() if key != "scales"}
    return MangaDataset(
        source,
        settings["size"],
        seed=settings["seed"],
        xdog=XDoG(**options),
        scales=tuple(settings["xdog"]["scales"]),
        hints=hints,
        crop=crop,
        flip=settings["flip"] and crop,
        color_shift=settings["color_shift"] if crop else 0.0,
        denoise_sigma=settings["denoise_sigma"] if settings["denoise"] else 0.0,
        recolor=settings["recolor"] and crop,
    )


def _hints(config: Config) -> PixelHints:
    law = config["data"]["hint"]
    return PixelHints(std=law["std"], sparse=law["sparse"], full=law["full"])

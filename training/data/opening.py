"""From a data table to a data set, by kind: pairs, photos, shots, pages, monochrome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.imaging.color import ZHANG
from backend.imaging.xdog import XDoG
from training.errors import TrainingError
from training.ranges import require

from .base import SampleDataset
from .cache import ArrayCache
from .clips import ShotDataset
from .denoise import TESTED_SIDE
from .hints import HintLaw, MixedHints, NoHints, PixelHints
from .keys import KeyFrameDataset
from .lines import line_source
from .manga import ColorPages, MangaDataset, MonochromeDataset
from .pairs import PairedLineDataset
from .photos import Codec, PhotoDataset, Saliency
from .sets import all_manga, open_manga, open_pages, open_pairs, open_photos
from .shot_sets import open_shots

Settings = Mapping[str, Any]
KINDS = ("pairs", "photos", "shots", "pages", "monochrome")
SPLITS = ("train", "finetune", "test")


def open_dataset(
    kind: str,
    settings: Settings,
    data: Path | None,
    split: str,
    *,
    codec: Codec | None = None,
    saliency: tuple[Saliency, str] | None = None,
) -> SampleDataset:
    """The data set of a configuration.

    settings: the ``data`` table with ``finetune_shots``, ``eval_series`` and ``eval_clip`` of the
    tables of that name; of shots also ``windows`` (every window in training, not every frame once)
    and ``keys`` with ``references`` (key frames of each shot alone). data: a folder, or None for
    generated pictures. split: "train", "finetune" (shots alone) or "test"; augmentation and random
    parts are for training. saliency: a backend for photos and what tells it apart, see
    `PhotoDataset`. Raises TrainingError for data that are not there or cannot be read, and for
    values that are not known.
    """
    if kind not in KINDS or split not in SPLITS:
        raise TrainingError(
            f"there is no data set {kind!r} with a part {split!r}",
            f"use {', '.join(KINDS)} and {', '.join(SPLITS)}",
        )
    part = "dev" if split == "test" else split
    with _wrong_values_told():
        if kind == "pairs":
            return _pairs(settings, data, part)
        if kind == "photos":
            return _photos(settings, data, part, codec or ZHANG, saliency)
        if kind == "shots":
            return _shots(settings, data, part)
        if kind == "pages":
            return _pages(settings, data, part)
        return _monochrome(settings, data)


def open_whole_pages(
    settings: Settings, data: Path | None
) -> tuple[MangaDataset, ColorPages] | None:
    """All black-and-white pages and the held-out colour pages, whole; None without the former.

    Raises TrainingError when none of either can be read, and for values that are not known.
    """
    with _wrong_values_told():
        source = all_manga(settings, data)
        if source is None:
            return None
        options = _page_options(settings, training=False) | {"crop": "whole"}
        colored = ColorPages(open_pages(settings, data, "dev"), settings["size"], settings["seed"])
        return MangaDataset(source, **options), colored


@contextmanager
def _wrong_values_told() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise TrainingError(f"the data table is wrong: {error}", "correct it") from error


def _pairs(settings: Settings, data: Path | None, part: str) -> PairedLineDataset:
    training = part == "train"
    return PairedLineDataset(
        open_pairs(settings, data, part),
        settings["size"],
        seed=settings["seed"],
        warp=training and settings.get("warp", True),
        recolor=training and settings.get("recolor", False),
        lines=line_source(settings.get("lines", "file"), ArrayCache()),
    )


def _photos(
    settings: Settings,
    data: Path | None,
    part: str,
    codec: Codec,
    saliency: tuple[Saliency, str] | None,
) -> PhotoDataset:
    backend, key = saliency or (None, "")
    cut = part == "train" and settings.get("crop", False)
    return PhotoDataset(
        open_photos(settings, data, part),
        settings["size"],
        codec,
        seed=settings["seed"],
        interpolation=settings.get("interpolation", "bilinear"),
        crop=cut,
        flip=cut,
        gray_threshold=settings.get("gray_threshold", 0.0),
        saliency=backend,
        saliency_key=key,
        recolor=part == "train" and settings.get("recolor", False),
        cache=ArrayCache(),
    )


def _shots(settings: Settings, data: Path | None, part: str) -> ShotDataset:
    testing = part == "dev"
    whole = testing and str(settings.get("eval_clip", settings["clip"])) == "full"
    keys = 0 if testing else int(settings.get("keys", 0))
    # key frames may be fewer than the frames of a clip
    source = open_shots({**settings, "clip": 1} if keys else settings, data, part)
    options = {
        "seed": settings["seed"],
        "lines": line_source(
            settings.get("lines", "file"),
            ArrayCache(),
            published="sketchKeras, which is not built in",
        ),
        "distance_norm": settings.get("distance_norm", "max"),
        "recolor": not testing and settings.get("recolor", False),
        "flip": not testing and settings.get("flip", False),
        "fit": "stretch" if data is not None and not source.has_regions else "pad",
    }
    if keys:
        return KeyFrameDataset(
            source, settings["size"], keys=keys, references=settings["references"], **options
        )
    windows = testing or settings.get("windows", False)
    return ShotDataset(
        source,
        settings["size"],
        settings["clip"],
        mode="shot" if whole else "window" if windows else "frame",
        references=0,  # the recipe chooses them within the clip
        **options,
    )


def _pages(settings: Settings, data: Path | None, part: str) -> MangaDataset:
    training = part == "train"
    return MangaDataset(
        open_pages(settings, data, part), **_page_options(settings, training=training)
    )


def _monochrome(settings: Settings, data: Path | None) -> MonochromeDataset:
    options = _page_options(settings, training=True)
    pages = MangaDataset(open_manga(settings, data, "train"), **options | {"hints": NoHints()})
    return MonochromeDataset(pages, MangaDataset(open_pages(settings, data, "train"), **options))


def _page_options(settings: Settings, *, training: bool) -> dict[str, Any]:
    table = dict(settings.get("xdog", {}))
    scales = _scales(table.pop("scales", (2, 3, 4)))
    # a run of before there were these has neither
    tested = int(table.pop("test_scale", scales[0]))
    from_original = bool(table.pop("from_original", True))
    require("data.xdog.test_scale", tested, 1)
    for name in ("sigma", "ratio"):
        require(f"data.xdog.{name}", table.get(name, 0), 0)
    for name in ("color_shift", "line_jitter"):
        require(f"data.{name}", settings.get(name, 0), 0, 1)
    lines = settings.get("lines", "xdog")
    if lines not in ("file", "xdog"):
        raise ValueError(f"lines is {lines!r}; use file or xdog")
    return {
        "size": settings["size"],
        "seed": settings["seed"],
        "xdog": XDoG(**table),
        "scales": scales if training else (tested,),
        "from_original": from_original,
        "hints": _hint_law(settings.get("hint", {})) if training else NoHints(),
        "crop": "random" if training else "centre",
        "flip": training and settings.get("flip", True),
        "color_shift": settings.get("color_shift", 0.0) if training else 0.0,
        "denoise_sigma": _noise(settings, training) if settings.get("denoise") else 0.0,
        "denoise_side": None if training else TESTED_SIDE,
        "recolor": training and settings.get("recolor", False),
        "drawn": lines == "file",
        "line_jitter": settings.get("line_jitter", 0.0) if training else 0.0,
    }


def _scales(given: Sequence[int]) -> tuple[int, ...]:
    if not given or min(given) < 1:
        raise TrainingError(
            f"data.xdog.scales is {list(given)}", "give one or more whole numbers of at least 1"
        )
    return tuple(given)


def _noise(settings: Settings, training: bool) -> float:
    trained = float(settings.get("denoise_sigma", 15.0))
    # a run of before the two were told apart has only one
    return trained if training else float(settings.get("denoise_test_sigma", trained))


def _hint_law(settings: Settings) -> HintLaw:
    table = dict(settings)
    kind = table.pop("kind", "pixels")
    if kind not in ("pixels", "mixed"):
        raise ValueError(f"hint.kind is {kind!r}; use pixels or mixed")
    if kind == "mixed":
        return MixedHints()
    law = PixelHints(**table)
    for name in ("std", "sparse", "full"):
        require(f"data.hint.{name}", getattr(law, name), 0, 1)
    require("data.hint.cell", law.cell, 1)
    return law

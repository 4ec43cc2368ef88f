"""Which data a configuration means: the seam between recipes and `training.data`.

``split`` is "train", "finetune" or "test"; without a folder the drawings are generated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.models.color import LabCodec
from training.data import SampleDataset, data_hash, open_dataset, open_whole_pages
from training.errors import TrainingError
from training.losses import SaliencyBackend

Config = Mapping[str, Any]
KINDS = {
    "aaldc": "pairs",
    "ibn_gan": "photos",
    "smsanet": "photos",
    "video": "shots",
    "manga": "pages",
}
CODECS = {"ibn_gan": LabCodec.named("ibn"), "smsanet": LabCodec.named("zhang")}
WHOLE_SHOTS = "full"
_TRIPLET = 3  # frames of an in-betweening task


def samples(
    config: Config,
    data: Path | None,
    split: str,
    saliency: tuple[SaliencyBackend, str] | None = None,
) -> SampleDataset:
    """The samples of a paper; ``saliency`` as `open_dataset` takes it.

    Raises TrainingError when the folder holds none that can be read.
    """
    paper, settings = config["paper"], _settings(config, split)
    codec = CODECS.get(paper)
    return open_dataset(KINDS[paper], settings, data, split, codec=codec, saliency=saliency)


def windows(config: Config, data: Path | None, split: str) -> SampleDataset:
    """Every window of ``data.clip`` frames, as far apart, for the refinement [video 5]."""
    return open_dataset("shots", {**_settings(config, split), "windows": True}, data, split)


def monochrome_pages(config: Config, data: Path | None) -> SampleDataset:
    """Black-and-white pages, each beside a random colour page, for fine-tuning (manga)."""
    return open_dataset("monochrome", _settings(config, "train"), data, "train")


def whole_pages(config: Config, data: Path | None) -> tuple[SampleDataset, SampleDataset] | None:
    """Black-and-white pages to colour and colour pages to compare with [manga 7], whole.

    None where no black-and-white pages are given.
    """
    return open_whole_pages(_settings(config, "test"), data)


def facts(data: Path | None, dataset: SampleDataset, **further: SampleDataset) -> dict[str, Any]:
    """What a recipe records of its data: the name, and the hashes of ``train`` and of ``further``,
    the data of tracks that read other files."""
    source = dataset.source.name
    parts = {"train": dataset, **further}
    return {
        "data_name": source if data is None else f"{source} ({data})",
        "data_hashes": {name: data_hash(part) for name, part in parts.items()},
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


def _settings(config: Config, split: str) -> dict[str, Any]:
    """The ``data`` table and what other tables say about the data."""
    settings, wanted = dict(config["data"]), config["eval"]
    if KINDS[config["paper"]] == "photos":  # a run of before there were lists has neither
        keys = {"list": "", "per_class": 0}
        chosen = {key: wanted.get(key, default) for key, default in keys.items()}
        return settings | chosen | {"eval_seed": wanted["seed"]}
    if config["paper"] != "video":
        return settings
    settings |= {
        "finetune_shots": config["finetune"]["shots"],
        "finetune_reserved": config["finetune"].get("reserved", 0),  # a run of before had none
        "eval_series": wanted["series"],
        "eval_clip": wanted["clip"],
    }
    if split == "finetune":  # a run of before there were keys has none
        keys = config["finetune"].get("keys", 0)
        return settings | {"keys": keys, "references": config["references"]["count"]}
    if split == "test" and wanted["interpolation"]:
        return settings | {"clip": _TRIPLET, "eval_clip": str(_TRIPLET)}
    if split == "test" and wanted["clip"] != WHOLE_SHOTS:
        if not str(wanted["clip"]).isdigit():
            raise TrainingError(
                f"eval.clip is {wanted['clip']!r}", f"use a number of frames or {WHOLE_SHOTS}"
            )
        settings["clip"] = int(wanted["clip"])
    return settings

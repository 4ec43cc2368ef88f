"""Which data a configuration means: the seam between recipes and `training.data`.

``split`` is "train", "finetune" or "test"; without a folder the drawings are generated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.models.color import LabCodec
from training.data import SampleDataset, data_hash, open_dataset
from training.errors import TrainingError

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


def samples(config: Config, data: Path | None, split: str) -> SampleDataset:
    """The samples of a paper. Raises TrainingError when the folder holds none that can be read."""
    paper = config["paper"]
    return open_dataset(
        KINDS[paper], _settings(config, split), data, split, codec=CODECS.get(paper)
    )


def monochrome_pages(config: Config, data: Path | None) -> SampleDataset:
    """Black-and-white pages, each beside a random colour page, for fine-tuning (manga)."""
    return open_dataset("monochrome", _settings(config, "train"), data, "train")


def facts(data: Path | None, dataset: SampleDataset) -> dict[str, Any]:
    """What a recipe records of its data: name and hash."""
    name = dataset.source.name
    return {
        "data_name": name if data is None else f"{name} ({data})",
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


def limited(dataset: SampleDataset, limit: int) -> int:
    """How many samples an evaluation looks at."""
    return min(len(dataset), limit) if limit else len(dataset)


def _settings(config: Config, split: str) -> dict[str, Any]:
    """The ``data`` table and what other tables say about the data."""
    settings = dict(config["data"])
    if config["paper"] != "video":
        return settings
    wanted = config["eval"]
    settings |= {
        "finetune_shots": config["finetune"]["shots"],
        "eval_series": wanted["series"],
        "eval_clip": wanted["clip"],
    }
    if split == "test" and wanted["interpolation"]:
        return settings | {"clip": _TRIPLET, "eval_clip": str(_TRIPLET)}
    if split == "test" and wanted["clip"] != WHOLE_SHOTS:
        if not str(wanted["clip"]).isdigit():
            raise TrainingError(
                f"eval.clip is {wanted['clip']!r}", f"use a number of frames or {WHOLE_SHOTS}"
            )
        settings["clip"] = int(wanted["clip"])
    return settings

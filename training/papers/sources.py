"""Which data a configuration means: the seam between recipes and `training.data`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from backend.models.color import LabCodec
from training.data import open_dataset
from training.engine import Batch, fingerprint
from training.papers.pieces import length

Config = Mapping[str, Any]
PROCEDURAL = {
    "aaldc": "toon",
    "ibn_gan": "photo",
    "smsanet": "photo",
    "video": "shot",
    "manga": "page",
}


def pairs(config: Config, data: Path | None, split: str) -> Dataset[Batch]:
    """Line drawings with their colours and a warped reference (aaldc)."""
    return open_dataset("pairs", _settings(config), data, split)


def photos(config: Config, data: Path | None, split: str, codec: LabCodec) -> Dataset[Batch]:
    """Lightness and chroma in the codec's units (ibn_gan, smsanet)."""
    return open_dataset("photos", _settings(config), data, split, codec=codec)


def shots(config: Config, data: Path | None, split: str) -> Dataset[Batch]:
    """Clips in time order; ``split`` train, finetune or test (video)."""
    return open_dataset("shots", _settings(config), data, split)


def pages(config: Config, data: Path | None, split: str) -> Dataset[Batch]:
    """Colour pages with XDoG, distance field and hint (manga)."""
    return open_dataset("pages", _settings(config), data, split)


def monochrome_pages(config: Config, data: Path | None) -> Dataset[Batch]:
    """Black-and-white pages beside random colour pages, for fine-tuning (manga)."""
    return open_dataset("monochrome", _settings(config), data, "train")


def of_paper(config: Config, data: Path | None, split: str) -> Dataset[Batch]:
    """The samples of a configuration, by its paper."""
    if config["paper"] in ("ibn_gan", "smsanet"):
        codec = LabCodec.ibn if config["paper"] == "ibn_gan" else LabCodec.zhang
        return photos(config, data, split, codec)
    return {"aaldc": pairs, "video": shots, "manga": pages}[config["paper"]](config, data, split)


def name(config: Config, data: Path | None) -> str:
    """What a reader is told about the data."""
    kind = config["data"]["set"]
    if data is None and kind in ("", "folder"):
        return f"generated drawings ({PROCEDURAL[config['paper']]})"
    return kind if data is None else f"{kind or data.name} in {data}"


def hashes(config: Config, data: Path | None) -> dict[str, str]:
    """A hash for each folder; none for generated drawings, which follow from ``data.seed``."""
    if data is None:
        return {}
    kind = config["data"]["set"]
    folder = data / kind if kind and (data / kind).is_dir() else data
    return {folder.name: fingerprint(folder)}


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


def limited(dataset: Dataset[Batch], limit: int) -> int:
    """How many samples an evaluation looks at."""
    return min(length(dataset), limit) if limit else length(dataset)


def _settings(config: Config) -> dict[str, Any]:
    """The ``data`` table and what other tables say about the data."""
    settings = {"paper": config["paper"], "procedural": PROCEDURAL[config["paper"]]}
    settings |= config["data"]
    for table in ("finetune", "eval"):
        for key in ("shots", "series", "clip", "interpolation"):
            if key in config.get(table, {}):
                settings[f"{table}_{key}"] = config[table][key]
    return settings

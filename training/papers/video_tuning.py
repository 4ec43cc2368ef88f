"""Fine-tuning of RLAV to a new series [6]: which shots, and how many steps they are worth."""

from __future__ import annotations

from math import ceil
from typing import Any

from training import presets
from training.data import SampleDataset
from training.papers.pieces import Config
from training.pretrained import Degradations
from training.ranges import require

SHOTS = 32
BY_EPOCHS = -1
# of a table's network: its setting of fine-tuning, and epochs of frames or of windows
_NETWORKS = {"train": ("steps", 10), "refine": ("refine_steps", 3)}


def with_finetuning(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with fine-tuning on, to new data.

    By the paper's 32 shots where there are none, and by epochs where the steps are the preset's.
    """
    settings, usual = config["finetune"], _preset(config)["finetune"]
    names = (name for name, _ in _NETWORKS.values())
    by_epochs = {name: BY_EPOCHS for name in names if settings[name] == usual[name]}
    return {
        **config,
        "finetune": {**settings, **by_epochs, "shots": settings["shots"] or SHOTS},
        "data": {**config["data"], "series": ""},  # nothing of it was trained on
    }


def steps_of(config: Config, stage: str, table: str, samples: int) -> int:
    """Steps of the network of ``train`` or ``refine`` in a stage.

    In fine-tuning -1 is the epochs [6] of ``samples``; key frames alone, too few for epochs, keep
    the preset's. Raises TrainingError for what is below -1.
    """
    if stage != "finetune":
        trained: int = config[table]["steps"]
        return trained
    name, epochs = _NETWORKS[table]
    steps: int = config["finetune"][name]
    require(f"finetune.{name}", steps, BY_EPOCHS)
    if steps != BY_EPOCHS:
        return steps
    if config["finetune"].get("keys", 0):
        usual: int = _preset(config)["finetune"][name]
        return usual
    batch: int = config[table]["batch"]
    return ceil(samples / batch) * epochs


def note_shots(config: Config, dataset: SampleDataset, degradations: Degradations) -> None:
    """Record that there are fewer shots than ``finetune.shots``."""
    asked, found = config["finetune"]["shots"], len(dataset.source)
    if found < asked and not config["finetune"].get("keys", 0):
        degradations.note("finetune.shots", str(found), f"{asked} asked, {found} found")


def _preset(config: Config) -> dict[str, Any]:
    """The settings of the configuration's row, or of the paper where the row is a user's own."""
    row = config["row"] if config["row"] in presets.rows("video") else presets.DEFAULT_ROW
    return presets.load("video", row).config

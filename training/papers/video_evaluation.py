"""RLAV's protocols [8]: inner frames of clips or whole shots, with or without the refinement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor, nn

from training.data import SampleDataset
from training.engine import Batch, checkpoint
from training.papers import sources
from training.papers.pieces import Config, make_network, to_bytes, unit
from training.papers.scoring import Evaluation, Examination, Scored
from training.papers.video_frames import (
    colour_frames,
    free_frames,
    reference_positions,
    refine_clip,
    rotate_hue,
)
from training.pretrained import Degradations


def evaluate(
    config: Config, data: Path | None, path: Path | None, out: Path, device: str
) -> Evaluation:
    """A row's metrics over the inner frames of the clips of the test series.

    A refinement that the checkpoint holds no trained weights of is left out, and recorded.
    """
    degradations = Degradations()
    examination = Examination(config, out, device, degradations)
    table = dict(config["model"])
    if table.get("mask_channels") == 0:  # TOML has no None
        table["mask_channels"] = None
    networks = {"generator": make_network(table)}
    tables: tuple[str, ...] = ("model",)
    refined = config["refine"]["enabled"]
    if refined and path is not None and not has_refinement(checkpoint.load(path)):
        degradations.note("refinement", "none", f"{path} holds no trained refinement")
        refined = False
    if refined:
        networks["refiner"] = make_network(config["refine"]["model"])
        tables = ("model", "refine.model")
    examination.load(networks, path, config, tables)
    dataset = sources.samples(config, data, "test")
    frames = _frames(networks, examination, dataset, config)
    return examination.score(frames, config["eval"]["metrics"])


def has_refinement(state: Config) -> bool:
    """Whether a checkpoint holds a refinement that took a step; a fresh one is noise."""
    fresh = state["stage"] == "refine" and not state["step"]
    return "refiner" in state["networks"] and not fresh


def _frames(
    networks: dict[str, nn.Module],
    examination: Examination,
    dataset: SampleDataset,
    config: Config,
) -> Iterator[Scored]:
    whole = config["eval"]["clip"] == sources.WHOLE_SHOTS  # shots differ in length
    degrees = float(config["eval"]["hue_shift"])
    chosen = examination.choose(dataset)
    for batch in examination.batches(dataset, chosen, size=1 if whole else None):
        batch["color"] = rotate_hue(unit(batch["color"]), degrees) * 2 - 1
        coloured, positions = _coloured(networks, batch, config)
        inner = free_frames(coloured.shape[1], positions)
        if not inner:
            continue  # a shot of references alone
        first = slice(positions[0], positions[0] + 1)
        for clip, name in enumerate(batch["name"]):
            ours, truth = unit(coloured[clip, inner]), unit(batch["color"][clip, inner])
            reference = unit(batch["color"][clip, first]).expand_as(ours)
            yield Scored(
                prediction=to_bytes(ours),
                target=to_bytes(truth),
                columns=[unit(batch["line"][clip, inner]), reference, ours, truth],
                names=[f"{name} {inner[0]}"],
                regions=batch["regions"][clip, inner] if "regions" in batch else None,
            )


def _coloured(
    networks: dict[str, nn.Module], batch: Batch, config: Config
) -> tuple[Tensor, list[int]]:
    frames = batch["line"].shape[1]
    settings = config["references"]
    positions = reference_positions(frames, settings["count"], settings["evaluate"])
    coloured = colour_frames(networks["generator"], batch, positions)
    if "refiner" in networks:
        coloured = refine_clip(networks["refiner"], batch["line"], coloured, positions)
    return coloured, positions

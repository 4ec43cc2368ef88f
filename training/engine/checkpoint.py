"""Checkpoints: everything a run needs to go on as if it had never stopped."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from backend.models.architectures import misfits
from training.errors import TrainingError
from training.files import write_whole
from training.presets.configuration import flatten

FORMAT = 1
NAME = "checkpoint.pt"


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically; a disk that is full leaves the previous one whole.

    Raises TrainingError.
    """
    write_whole(path, lambda file: torch.save({"format": FORMAT, **state}, file))


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU without running any code in it. Raises TrainingError."""
    if not path.exists():
        raise TrainingError(f"there is no checkpoint {path}", "train first")
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not an archive of tensors")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrainingError(
            f"{path} cannot be read as a checkpoint ({reason})", "train again or name another file"
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainingError(f"{path} is no checkpoint of this version of Nuri", "train again")
    return state


def finite(networks: Mapping[str, nn.Module]) -> bool:
    """Whether every parameter of the networks is a number."""
    return all(
        bool(torch.isfinite(parameter).all())
        for network in networks.values()
        for parameter in network.parameters()
    )


def compare(
    path: Path, theirs: Mapping[str, Any], ours: Mapping[str, Any], tables: Iterable[str]
) -> None:
    """Raise TrainingError when the configurations differ in one of the dotted ``tables``."""
    differences = []
    for table in tables:
        left = flatten(_table(theirs, table), f"{table}.")
        right = flatten(_table(ours, table), f"{table}.")
        differences += [
            f"{key} = {left.get(key, 'absent')} there, {right.get(key, 'absent')} here"
            for key in sorted(left.keys() | right.keys())
            if left.get(key, "absent") != right.get(key, "absent")
        ]
    if differences:
        raise TrainingError(
            f"{path} is of another architecture ({'; '.join(differences)})",
            "use its configuration or another run folder",
        )


def load_network(path: Path, name: str, network: nn.Module, state: Mapping[str, Any]) -> None:
    """Fill one network. Raises TrainingError that names the first tensors that do not fit."""
    wrong = misfits(network, state)
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise TrainingError(
            f"{path} does not fit {name} ({'; '.join(wrong[:3])}{more})",
            "use the configuration that it was trained with",
        )
    network.load_state_dict(dict(state))


def load_weights(
    path: Path,
    recipe_networks: Mapping[str, nn.Module],
    config: Mapping[str, Any],
    tables: Iterable[str] = ("model",),
) -> dict[str, Any]:
    """Fill those of the networks that the checkpoint holds, averaged weights first.

    ``tables`` of the two configurations must agree. Returns the checkpoint. Raises TrainingError.
    """
    state = load(path)
    fill(path, state, recipe_networks, config, tables)
    return state


def fill(
    path: Path,
    state: Mapping[str, Any],
    networks: Mapping[str, nn.Module],
    config: Mapping[str, Any],
    tables: Iterable[str],
) -> list[str]:
    """`load_weights` from a checkpoint that is read already.

    Returns the names of the networks that it does not hold. Raises TrainingError.
    """
    compare(path, state["config"], config, tables)
    absent = []
    for name, network in networks.items():
        weights = state["average"].get(name, state["networks"].get(name))
        if weights is None:
            absent.append(name)
        else:
            load_network(path, name, network, weights)
    return absent


def origin(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a later stage keeps of the checkpoint that it begins with.

    Its stage, step, ``digest`` (SHA-256 of all weights, averages included) and its own ``base``.
    """
    checksum = hashlib.sha256()
    for part in ("networks", "average"):
        for name, network in sorted(state[part].items()):
            for key, tensor in sorted(network.items()):
                checksum.update(f"{part} {name} {key}".encode())
                checksum.update(tensor.contiguous().flatten().view(torch.uint8).numpy())
    return {
        "stage": state["stage"],
        "step": state["step"],
        "digest": checksum.hexdigest(),
        "base": state.get("base"),
    }


def stage_steps(state: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Every stage up to a checkpoint with its steps, the first one first."""
    found: list[tuple[str, int]] = []
    link: Mapping[str, Any] | None = state
    while link is not None:
        found.insert(0, (link["stage"], link["step"]))
        link = link.get("base")
    return found


def _table(config: Mapping[str, Any], dotted: str) -> Mapping[str, Any]:
    value: Any = config
    for key in dotted.split("."):
        value = value.get(key, {})
    table: Mapping[str, Any] = value
    return table

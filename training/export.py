"""From a training run, or from published weights, to safetensors with a model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save as safetensors_bytes
from torch import nn

import backend.models.architectures as architectures
from training.engine import checkpoint
from training.errors import TrainingError
from training.extractor import load_extractor
from training.files import write_text, write_whole
from training.pretrained import SOURCES, Degradations, load_state
from training.published import fitted, misfit


def export_network(
    path: Path,
    output: Path,
    network: str = "generator",
    *,
    half: bool = False,
    evaluation: Path | None = None,
) -> Path:
    """Write one network of a checkpoint as safetensors; returns its model card beside it.

    Averaged weights are taken where the run kept them; ``half`` writes fp16; ``evaluation`` is
    what `nuri-train evaluate` wrote of the run, as far as it is there. Raises TrainingError
    when the checkpoint cannot be read, holds no such network, or the disk is full.
    """
    _check_suffix(output)
    state = checkpoint.load(path)
    exports = state["metadata"]["exports"]
    if network not in exports:
        raise TrainingError(f"{path} exports no {network}", f"use one of {', '.join(exports)}")
    name, options = exports[network]
    model = architectures.build(name, options)
    weights = state["average"].get(network, state["networks"][network])
    checkpoint.load_network(path, network, model, weights)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_network(output, model.half() if half else model, _facts(state, network))
    card = output.with_suffix(".md")
    write_text(card, model_card(output.stem, state, network, evaluation))
    return card


def model_card(
    title: str, state: Mapping[str, Any], network: str, evaluation: Path | None = None
) -> str:
    """What someone who finds the file wants to know, in Markdown."""
    name, options = state["metadata"]["exports"][network]
    data, config = state["metadata"]["data"], state["config"]
    size = sum(tensor.numel() for tensor in state["networks"][network].values())
    row = config.get("row", "default")
    train = config["train"]
    lines = [
        f"# {title}",
        "",
        f"Network `{network}` of `{state['paper']}/{row}`, stage `{state['stage']}`.",
        "",
        f"- Architecture: `{name}`, options `{json.dumps(options)}`",
        f"- Numbers in it: {size:,}",
        f"- Trained for {_stages(state)}, seed {train['seed']}",
        f"- Averaged weights: {'yes' if network in state['average'] else 'no'}",
        f"- Data: {data['name']}",
    ]
    lines += [f"- Data hash of {part}: `{digest}`" for part, digest in data["hashes"].items()]
    for heading, key in (("Done without", "degraded"), ("Pretrained networks used", "pretrained")):
        known = state["metadata"].get(key) or ["nothing"]
        lines += ["", f"## {heading}", "", *(f"- {line}" for line in known)]
    lines += ["", "## Measured", "", *_measured(evaluation, state)]
    lines += [
        "",
        "## Licence",
        "",
        "The code is MIT. These weights follow the licences of the data that they were trained on.",
    ]
    return "\n".join(lines) + "\n"


def convert_weights(source: Path, output: Path, name: str) -> int:
    """Convert published weights to safetensors, running no code of the file.

    ``name`` is a pretrained network of `training.pretrained`, whose names of tensors stay but for
    those of Keras and of PFANet, or an architecture of `architectures.RELEASES`, which becomes a
    network that loads by itself. Returns the number of tensors. Raises TrainingError, also for a
    file of another network.
    """
    _check_suffix(output)
    known = sorted({*SOURCES, *architectures.RELEASES})
    if name not in known:
        raise TrainingError(f"nothing is called {name!r}", f"use one of {', '.join(known)}")
    if not source.is_file():
        raise TrainingError(f"there is no file {source}", "name a .pth file")
    if name in architectures.RELEASES:
        return _convert_network(source, output, name)
    state = fitted(name, load_state(source), str(source))
    tensors = {key: value.detach().float().contiguous() for key, value in state.items()}
    content = safetensors_bytes(tensors, {"name": name, "source": source.name})
    write_whole(output, lambda file: file.write(content))
    return len(tensors)


def _convert_network(source: Path, output: Path, name: str) -> int:
    state = load_state(source)
    try:
        model = architectures.released(name, state, source)
    except ValueError as error:
        raise misfit(name, error, source) from error
    degradations = Degradations()
    load_extractor(model, degradations)  # which is published in a file of its own
    facts = {
        "source": source.name,
        "degraded": degradations.lines(),
        "pretrained": degradations.pretrained(),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    save_network(output, model, facts)
    return len(model.state_dict())


def save_network(output: Path, model: nn.Module, facts: Mapping[str, Any]) -> None:
    """`save_model` that raises TrainingError when the file cannot be written."""
    try:
        architectures.save_model(output, model, facts)
    except OSError as error:
        raise TrainingError(f"cannot write {output} ({error.strerror})", "free space") from error


def _facts(state: Mapping[str, Any], network: str) -> dict[str, Any]:
    config, before = state["config"], checkpoint.stage_steps(state)[:-1]
    earlier = [f"{_counted(count)} of {stage}" for stage, count in before]
    return {
        "paper": state["paper"],
        "row": config.get("row", "default"),
        "stage": state["stage"],
        "network": network,
        "steps": state["step"],
        **({"earlier stages": earlier} if earlier else {}),
        **({"data.size": config["data"]["size"]} if "size" in config.get("data", {}) else {}),
        "data": state["metadata"]["data"]["name"],
        "degraded": state["metadata"]["degraded"],
        "pretrained": state["metadata"].get("pretrained", []),
    }


def _stages(state: Mapping[str, Any]) -> str:
    config, steps = state["config"], checkpoint.stage_steps(state)
    if len(steps) == 1:
        return f"{_counted(state['step'])}, batch {config['train']['batch']}"
    parts = []
    for stage, count in steps:
        batch = config.get(stage, {}).get("batch", config["train"]["batch"])
        parts.append(f"{_counted(count)} ({stage}, batch {batch})")
    return ", then ".join(parts)


def _counted(steps: int) -> str:
    return f"{steps:,} step{'s' * (steps != 1)}"


def _measured(evaluation: Path | None, state: Mapping[str, Any]) -> list[str]:
    if evaluation is None or not evaluation.exists():
        return ["Not evaluated yet (`nuri-train evaluate`)."]
    facts = json.loads(evaluation.read_text(encoding="utf-8"))
    if not is_of(facts, state):
        return ["Not evaluated since it was trained further (`nuri-train evaluate`)."]
    return measured(facts)


def is_of(facts: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Whether an evaluation is of these weights; one of before that was noted counts as such."""
    weights = facts.get("weights")
    return weights is None or weights["digest"] == checkpoint.origin(state)["digest"]


def measured(facts: Mapping[str, Any]) -> list[str]:
    """A table in Markdown of what `nuri-train evaluate` wrote."""
    lines = [f"On {facts['count']} held-out pictures:", "", "| metric | value |", "|---|---|"]
    for metric, value in facts["metrics"].items():
        lines.append(f"| {metric} | {'-' if value is None else f'{value:.4f}'} |")
    return lines


def _check_suffix(output: Path) -> None:
    if output.suffix != ".safetensors":
        raise TrainingError(f"{output} is no .safetensors file", "let its name end so")

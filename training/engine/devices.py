"""Where a run computes: one device, several, or the processes of `torchrun`."""

from __future__ import annotations

import atexit
import os

import torch
import torch.distributed
from lightning_fabric import Fabric

from training.errors import TrainingError

_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed"}


def make_fabric(device: str = "auto", precision: str = "fp32", count: int = 1) -> Fabric:
    """Fabric for ``device`` ("auto", "cpu", "cuda", "cuda:1", "mps").

    ``count`` devices of the kind share the work; under torchrun its processes do. Raises
    TrainingError for an unknown device or precision.
    """
    if precision not in _PRECISIONS:
        raise TrainingError(f"train.precision is {precision!r}", "use fp32 or bf16")
    kind, _, number = device.partition(":")
    if kind == "auto":
        kind = _best()
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdigit()):
        raise TrainingError(f"unknown device {device!r}", "use auto, cpu, cuda, cuda:N or mps")
    if kind == "cuda" and not torch.cuda.is_available():
        raise TrainingError("no CUDA device here", "use --device cpu")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise TrainingError("no Metal device here", "use --device cpu")
    devices: list[int] | int = [int(number)] if number and kind == "cuda" else count
    nodes = 1
    if "LOCAL_WORLD_SIZE" in os.environ:  # torchrun decides
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    several = nodes > 1 or (isinstance(devices, int) and devices > 1)
    return Fabric(
        accelerator=kind,
        devices=devices,
        num_nodes=nodes,
        strategy="ddp" if several else "auto",
        precision=_PRECISIONS[precision],  # type: ignore[arg-type]
    )


def launch(fabric: Fabric) -> None:
    """Join the other processes of a run, if any, and leave them when the program ends."""
    fabric.launch()
    if fabric.world_size > 1:
        atexit.register(_leave)  # Fabric does so for NCCL alone; Gloo's threads can abort the exit


def on_any(fabric: Fabric, *flags: bool) -> list[bool]:
    """Whether each flag is set in any process of a run; every one of them must call it."""
    if fabric.world_size == 1:
        return list(flags)
    total = fabric.all_reduce(torch.tensor(flags, device=fabric.device).float(), reduce_op="sum")
    assert isinstance(total, torch.Tensor)
    return [bool(count) for count in total]


def as_first(fabric: Fabric, flag: bool) -> bool:
    """What the first process of a run says; every one of them must call it."""
    answer: bool = fabric.broadcast(flag) if fabric.world_size > 1 else flag
    return answer


def gathered(fabric: Fabric, lines: set[str]) -> set[str]:
    """The lines of all processes of a run; every one of them must call it."""
    if fabric.world_size == 1:
        return lines
    each: list[set[str]] = [set()] * fabric.world_size
    torch.distributed.all_gather_object(each, lines)
    return set().union(*each)


def _leave() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"

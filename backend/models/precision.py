"""Which numbers a network computes in: bfloat16 where the processor gains by it, else float32."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from protocol.errors import ErrorCode, NuriError

OVERRIDE = "NURI_PRECISION"  # fp32 or bf16, for figures that do not depend on the machine
GAIN = 1.3  # times as fast as float32, or it is not worth its rounding
_PROBE = (1, 32, 128, 128)  # a map like those of the networks that ship
_TURNS = 5
_WISHES = {"fp32": False, "bf16": True}
_NATIVE = ("avx512_bf16", "amx_bf16", "bf16")
_logger = logging.getLogger("nuri.models")


def native_bfloat16(device: torch.device | str = "cpu") -> bool:
    """Whether the device multiplies in bfloat16 itself; emulation is slower than fp32."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if not hasattr(torch.cpu, "get_capabilities"):
        return False  # this torch cannot say
    flags = torch.cpu.get_capabilities()
    return any(flags.get(name) for name in _NATIVE)


@lru_cache(maxsize=1)
def bfloat16_pays() -> bool:
    """Whether convolutions on this processor gain by bfloat16, measured once, in some 20 ms.

    Having the instructions is not enough: without AMX some processors are slower by them.
    ``NURI_PRECISION``, fp32 or bf16, decides instead where it is set. Raises NuriError bad_input
    where it is neither.
    """
    wish = os.environ.get(OVERRIDE, "")
    if wish not in ("", *_WISHES):
        raise NuriError(
            ErrorCode.bad_input,
            f"{OVERRIDE} is {wish!r}",
            f"Use {' or '.join(_WISHES)}, or leave it out",
        )
    if wish:
        return _WISHES[wish]
    if not native_bfloat16():
        return False
    gain = _seconds(torch.float32) / _seconds(torch.bfloat16)
    _logger.info("bfloat16 is %.2f times as fast as float32 here", gain)
    return gain > GAIN


def compute_in_bfloat16(network: nn.Module) -> nn.Module:
    """``network`` with weights in bfloat16, in place; its inputs and outputs stay in float32.

    Only for a network that is called as a whole, with tensors, and answers with tensors or a
    dataclass of them.
    """
    network.to(torch.bfloat16)
    network.register_forward_pre_hook(lambda _, inputs: tuple(one.bfloat16() for one in inputs))
    network.register_forward_hook(lambda _, __, output: _float(output))
    return network


def _float(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output.float()
    if is_dataclass(output) and not isinstance(output, type):
        return replace(
            output, **{field.name: _float(getattr(output, field.name)) for field in fields(output)}
        )
    return output


@torch.inference_mode()
def _seconds(dtype: torch.dtype) -> float:
    """The best of some convolutions."""
    channels = _PROBE[1]
    convolution = nn.Conv2d(channels, channels, 3, padding=1).to(dtype)
    convolution = convolution.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    picture = torch.ones(_PROBE, dtype=dtype).contiguous(memory_format=torch.channels_last)
    convolution(picture)
    taken = []
    for _ in range(_TURNS):
        started = time.perf_counter()
        convolution(picture)
        taken.append(time.perf_counter() - started)
    return min(taken)

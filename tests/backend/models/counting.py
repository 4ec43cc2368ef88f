"""Parameters of networks, without their memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def parameters_of(build: Callable[[], nn.Module]) -> int:
    """Of a network that is made without memory for its weights."""
    with torch.device("meta"):
        return parameters(build())

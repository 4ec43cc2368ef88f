"""Spectral normalisation of whole critics."""

from __future__ import annotations

import torch
from torch import nn

from backend.models.layers import spectral_norm


def spectral_convolutions(module: nn.Module) -> None:
    """Give every convolution inside ``module`` spectral normalisation, once."""
    for layer in list(module.modules()):
        if isinstance(layer, nn.Conv2d) and not torch.nn.utils.parametrize.is_parametrized(layer):
            spectral_norm(layer)

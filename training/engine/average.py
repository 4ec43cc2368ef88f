"""Exponential moving average of weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """Moving averages of some networks.

    ``decay`` in (0, 1): each update keeps this share of the average. Buffers (running statistics,
    spectral vectors) are copied, as they are averages of their own.
    """

    def __init__(self, networks: dict[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self._sources = networks
        self.networks = {name: _still(network) for name, network in networks.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Move every average towards its network."""
        for name, source in self._sources.items():
            average = self.networks[name]
            torch._foreach_lerp_(
                list(average.parameters()), list(source.parameters()), 1.0 - self.decay
            )
            for old, new in zip(average.buffers(), source.buffers(), strict=True):
                old.copy_(new)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        return {name: network.state_dict() for name, network in self.networks.items()}

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Take averages from a checkpoint; one that it lacks begins as its network is now."""
        for name, network in self.networks.items():
            network.load_state_dict(state.get(name, self._sources[name].state_dict()))


def _still(network: nn.Module) -> nn.Module:
    still = copy.deepcopy(network)
    return still.requires_grad_(False).eval()

"""The smallest picture that a critic can judge."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.critics.page import AlacGANDiscriminator
from training.critics.temporal import TemporalPatchDiscriminator
from training.errors import TrainingError

_STEP = 16
_LARGEST = 1024
_TOO_SMALL = ("Kernel size can't be greater", "Output size is too small")  # PyTorch's words


def check_size(critic: nn.Module, size: int) -> None:
    """Raise TrainingError, with the smallest size that works, if ``size`` is too small."""
    if _judges(critic, size):
        return
    sizes = range(-(-size // _STEP) * _STEP, _LARGEST + 1, _STEP)
    smallest = next((each for each in sizes if _judges(critic, each)), None)
    remedy = "use another critic" if smallest is None else f"use data.size={smallest} or more"
    raise TrainingError(f"data.size={size} is too small for the critic", remedy)


@torch.no_grad()
def _judges(critic: nn.Module, size: int) -> bool:
    training = critic.training
    try:
        # in eval neither batch norm nor spectral norm takes the empty picture into account
        critic.eval()(*_empty(critic, size))
    except RuntimeError as error:
        if any(words in str(error) for words in _TOO_SMALL):
            return False
        raise
    finally:
        critic.train(training)
    return True


def _empty(critic: nn.Module, size: int) -> tuple[Tensor, ...]:
    first = next(layer for layer in critic.modules() if isinstance(layer, nn.Conv2d))
    picture = torch.zeros(1, first.in_channels, size, size)
    if isinstance(critic, TemporalPatchDiscriminator):
        return (picture.unsqueeze(1),)
    if isinstance(critic, AlacGANDiscriminator):
        channels = 8 * critic.options["width"]
        return picture, torch.zeros(1, channels, size // 16, size // 16)
    return (picture,)

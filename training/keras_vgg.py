"""Keras' weights of VGG-19 under PyTorch's names and in its layout of tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from training.errors import TrainingError
from training.features import VGG_DEPTHS

NAME = "vgg19_keras"
_DEPTHS = VGG_DEPTHS["vgg19"]
_CONVOLUTION = re.compile(r"block([1-5])_conv([1-4])(?!\d)")
# each convolution is followed by a ReLU, each block by a pooling
_POSITIONS = {
    (block, layer): 2 * (sum(_DEPTHS[: block - 1]) + layer - 1) + block - 1
    for block, depth in enumerate(_DEPTHS, 1)
    for layer in range(1, depth + 1)
}


def from_keras(state: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """``features.K.weight`` (out, in, 3, 3) and ``.bias`` of kernels (3, 3, in, out) and biases.

    Keras' tensors are known by ``blockN_convM`` in their names; those of other layers are left out.
    Raises TrainingError where a convolution is absent.
    """
    found: dict[str, Tensor] = {}
    for key, tensor in state.items():
        match = _CONVOLUTION.search(key)
        if match is None or (place := (int(match[1]), int(match[2]))) not in _POSITIONS:
            continue
        is_kernel = tensor.ndim == 4
        name = f"features.{_POSITIONS[place]}.{'weight' if is_kernel else 'bias'}"
        found[name] = tensor.permute(3, 2, 0, 1) if is_kernel else tensor
    expected = {
        f"features.{at}.{part}" for at in _POSITIONS.values() for part in ("weight", "bias")
    }
    if found.keys() != expected:
        raise TrainingError(
            f"{origin} has {len(found)} of the {len(expected)} tensors of Keras' VGG-19",
            "give an .npz of vgg19_weights_tf_dim_ordering_tf_kernels.h5 with its names of tensors",
        )
    return found

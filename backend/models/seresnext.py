"""Squeeze-excited ResNeXt: the blocks of the manga networks and their feature extractor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from backend.models.attention import SqueezeExcitation
from backend.models.layers import spectral_norm, with_batch_counts


class SEResNeXtBlock(nn.Module):
    """Grouped bottleneck without norms, excited before the identity is added.

    MangaGAN, section 2.2 of its specification; ``excitation=False`` is the block of AlacGAN.
    ``stride`` 2 halves the map: a 4x4 middle convolution, and a 2x2 average as the shortcut.
    ``groups`` is lowered to a divisor of the bottleneck where a narrow network needs that.
    """

    def __init__(
        self,
        channels: int,
        groups: int = 32,
        *,
        dilation: int = 1,
        stride: int = 1,
        excitation: bool = True,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        if stride not in (1, 2) or (stride == 2 and dilation != 1):
            raise ValueError(f"stride={stride} must be 1, or 2 without dilation ({dilation})")
        hidden = channels // 2
        self.dilated = dilation > 1
        self.reduce = nn.Conv2d(channels, hidden, 1, bias=False)
        self.middle = nn.Conv2d(
            hidden,
            hidden,
            2 + stride,
            stride,
            dilation,
            dilation,
            groups=math.gcd(groups, hidden),
            bias=False,
        )
        self.expand = nn.Conv2d(hidden, channels, 1, bias=False)
        self.excitation = SqueezeExcitation(channels) if excitation else nn.Identity()
        self.shortcut = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        if spectral:
            for layer in list(self.modules()):
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.reduce(x), 0.2, inplace=True)
        hidden = F.leaky_relu(self._convolved(hidden), 0.2, inplace=True)
        result: Tensor = self.shortcut(x) + self.excitation(self.expand(hidden))
        return result

    def _convolved(self, hidden: Tensor) -> Tensor:
        # oneDNN's gradient of grouped, dilated weights is wrong in bf16 with channels_last
        exact = self.dilated and hidden.device.type == "cpu" and torch.is_grad_enabled()
        with torch.autocast("cpu", enabled=False) if exact else nullcontext():
            result: Tensor = self.middle(hidden.to(self.middle.weight.dtype) if exact else hidden)
        return result


class Bottleneck(nn.Module):
    """Normalised bottleneck of SE-ResNeXt-50; attribute names are those of public weights."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        hidden = after // 2
        self.conv1 = nn.Conv2d(before, hidden, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(
            hidden, hidden, 3, stride, 1, groups=math.gcd(32, hidden), bias=False
        )
        self.bn2 = nn.BatchNorm2d(hidden)
        self.conv3 = nn.Conv2d(hidden, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.se = SqueezeExcitation(after)
        self.downsample = (
            nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
            if stride != 1 or before != after
            else nn.Identity()
        )

    def fold_pairs(self) -> list[tuple[str, str]]:
        """Names of each convolution and the norm that follows it directly."""
        return [(f"conv{number}", f"bn{number}") for number in (1, 2, 3)]

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.bn1(self.conv1(x)), inplace=True)
        hidden = F.relu(self.bn2(self.conv2(hidden)), inplace=True)
        hidden = self.se(self.bn3(self.conv3(hidden)))
        return F.relu(hidden + self.downsample(x), inplace=True)


class SEResNeXtFeatures(nn.Module):
    """SE-ResNeXt-50 (32x4d) with a one-channel stem, to the end of its stage at 1/8.

    ``width`` is the stem's (64 in the paper); the result has 8 times as many channels.
    """

    def __init__(self, *, width: int = 64) -> None:
        super().__init__()
        if width < 4:
            raise ValueError(f"width={width} must be at least 4")
        self.options: dict[str, Any] = {"width": width}
        self.conv1 = nn.Conv2d(1, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(width, 4 * width, 3, 1)
        self.layer2 = _stage(4 * width, 8 * width, 4, 2)

    def fold_pairs(self) -> list[tuple[str, str]]:
        """Names of the stem's convolution and norm."""
        return [("conv1", "bn1")]

    def forward(self, line: Tensor) -> Tensor:
        """Features (B, 8 * width, H/8, W/8) of lines (B, 1, H, W) in [0, 1], 1 is paper."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(line)), inplace=True))
        features: Tensor = self.layer2(self.layer1(x))
        return features


def _stage(before: int, after: int, count: int, stride: int) -> nn.Sequential:
    first = Bottleneck(before, after, stride)
    return nn.Sequential(first, *(Bottleneck(after, after, 1) for _ in range(count - 1)))


class FrozenFeatures(nn.Module):
    """The extractor as a colouring network holds it: frozen, in eval, without gradients.

    ``trainable`` makes it an ordinary part of the network.
    """

    def __init__(self, width: int, trainable: bool) -> None:
        super().__init__()
        self.trainable = trainable
        self.net = SEResNeXtFeatures(width=width)
        self.net.requires_grad_(trainable)
        self.train()

    def train(self, mode: bool = True) -> FrozenFeatures:
        """Eval, whatever is asked for, unless the extractor is trainable."""
        super().train(mode)
        self.net.train(mode and self.trainable)
        return self

    def forward(self, line: Tensor) -> Tensor:
        with torch.set_grad_enabled(self.trainable and torch.is_grad_enabled()):
            features: Tensor = self.net(line)
        return features


EXTRACTOR = ("conv1", "bn1", "layer1", "layer2")
TAG2PIX = {".selayer.conv1.": ".se.fc1.", ".selayer.conv2.": ".se.fc2."}


def from_tag2pix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of Tag2Pix' tagger, or of the part of it in MangaGAN's release, under our names.

    What lies behind the extractor's last stage is left out.
    """
    renamed = {}
    for key, value in _extractor_part(state).items():
        for old, new in TAG2PIX.items():
            key = key.replace(old, new)
        renamed[key] = value
    return with_batch_counts(renamed)


def from_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of timm's ``seresnext50_32x4d``, whose stem is summed over its three colours."""
    kept = _extractor_part(state)
    if "conv1.weight" in kept:
        kept["conv1.weight"] = kept["conv1.weight"].sum(1, keepdim=True)
    return with_batch_counts(kept)


def _extractor_part(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key.partition(".")[0] in EXTRACTOR}

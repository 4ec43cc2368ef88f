"""The saliency network that SMSANet's loss looks through, and the choice of a saliency source.

Zhao and Wu, "Pyramid Feature Attention Network for Saliency Detection" (2019), in the form of the
port to PyTorch by sairajk, whose weights are published.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.models.architectures import load_weights
from backend.models.layers import with_batch_counts
from training.errors import TrainingError
from training.features import LAST_RELUS_16, VGGFeatures
from training.losses.saliency import ClassicalSaliency, SaliencyBackend
from training.pretrained import Degradations, load_state, resolve

_DILATIONS = (3, 5, 7)
# modules of the port and their names here; those of its VGG-16 have numbers
_TRUNK = ("vgg16.", "trunk.features.")
_PYRAMID = {
    "conv_1_1": "point", "conv_dil_3": "dilated.0", "conv_dil_5": "dilated.1",
    "conv_dil_7": "dilated.2", "bn": "norm",
}  # fmt: skip
_PORT = {
    **{
        f"cpfe_conv{block}_3.{theirs}": f"pyramids.{at}.{ours}"
        for at, block in enumerate((3, 4, 5))
        for theirs, ours in _PYRAMID.items()
    },
    "cha_att.linear_1": "channel_gate.0", "cha_att.linear_2": "channel_gate.2",
    "hl_conv1": "high.0", "hl_bn1": "high.1",
    "ll_conv_1": "low.0.0", "ll_bn_1": "low.0.1", "ll_conv_2": "low.1.0", "ll_bn_2": "low.1.1",
    "ll_conv_3": "low_joined.0", "ll_bn_3": "low_joined.1",
    "spa_att.grp1_conv1k": "place_gate.across.0", "spa_att.grp1_bn1": "place_gate.across.1",
    "spa_att.grp1_convk1": "place_gate.across.3", "spa_att.grp1_bn2": "place_gate.across.4",
    "spa_att.grp2_convk1": "place_gate.down.0", "spa_att.grp2_bn1": "place_gate.down.1",
    "spa_att.grp2_conv1k": "place_gate.down.3", "spa_att.grp2_bn2": "place_gate.down.4",
    "ff_conv_1": "out",
}  # fmt: skip


class ContextPyramid(nn.Module):
    """A 1x1 and three dilated 3x3 convolutions side by side, 32 channels each; BN, ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.point = nn.Conv2d(channels, 32, 1, bias=False)
        self.dilated = nn.ModuleList(
            nn.Conv2d(channels, 32, 3, padding=d, dilation=d, bias=False) for d in _DILATIONS
        )
        self.norm = nn.BatchNorm2d(128)

    def forward(self, x: Tensor) -> Tensor:
        branches = [self.point(x), *(convolution(x) for convolution in self.dilated)]
        return functional.relu(self.norm(torch.cat(branches, 1)))


class CrossAttention(nn.Module):
    """A gate for each place from two pairs of 1x9 and 9x1 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.across = self._pair(channels, (1, 9), (9, 1))
        self.down = self._pair(channels, (9, 1), (1, 9))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.across(x) + self.down(x))

    @staticmethod
    def _pair(channels: int, first: tuple[int, int], second: tuple[int, int]) -> nn.Sequential:
        inner = channels // 2
        return nn.Sequential(
            nn.Conv2d(channels, inner, first, padding=(first[0] // 2, first[1] // 2)),
            nn.BatchNorm2d(inner), nn.ReLU(inplace=True),
            nn.Conv2d(inner, 1, second, padding=(second[0] // 2, second[1] // 2)),
            nn.BatchNorm2d(1), nn.ReLU(inplace=True),
        )  # fmt: skip


class PFANet(nn.Module):
    """Saliency of a picture: deep VGG-16 features say what, shallow ones where it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = VGGFeatures("vgg16", LAST_RELUS_16, "imagenet")
        self.pyramids = nn.ModuleList(ContextPyramid(channels) for channels in (256, 512, 512))
        self.channel_gate = nn.Sequential(
            nn.Linear(384, 96), nn.ReLU(inplace=True), nn.Linear(96, 384), nn.Sigmoid()
        )
        self.high = _block(384)
        self.low = nn.ModuleList(_block(channels) for channels in (64, 128))
        self.low_joined = _block(128)
        self.place_gate = CrossAttention(64)
        self.out = nn.Conv2d(128, 1, 3, padding=1)

    def forward(self, rgb: Tensor) -> Tensor:
        """sRGB (B, 3, H, W) in [0, 1] -> saliency (B, 1, H, W) in (0, 1)."""
        maps = self.trunk(2 * rgb - 1)
        deep = [pyramid(x) for pyramid, x in zip(self.pyramids, maps[2:], strict=True)]
        high = torch.cat([_to(x, deep[0]) for x in deep], 1)
        high = high * self.channel_gate(high.mean((2, 3)))[:, :, None, None]
        high = _to(self.high(high), rgb)
        low = [_to(block(x), rgb) for block, x in zip(self.low, maps[:2], strict=True)]
        low_joined = self.low_joined(torch.cat(low, 1)) * self.place_gate(high)
        return torch.sigmoid(self.out(torch.cat([low_joined, high], 1)))


def from_port(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of the port under the names of `PFANet`; other names stay, as ours do."""
    renamed = {}
    for key, value in state.items():
        module, _, part = key.rpartition(".")
        renamed[f"{_PORT.get(module, module.replace(*_TRUNK))}.{part}"] = value
    return with_batch_counts(renamed)


def load_saliency(degradations: Degradations) -> SaliencyBackend:
    """PFANet where ``pfanet.safetensors`` is found, else the classical saliency, which is noted.

    Raises TrainingError when the file is damaged or of another network.
    """
    path = resolve("pfanet")
    if path is None:
        degradations.note("saliency", "classical", "the weights of pfanet are absent")
        return ClassicalSaliency()
    network = PFANet()
    try:
        load_weights(network, from_port(load_state(path)), path)
    except ValueError as error:
        raise TrainingError(str(error), "replace it or take it away") from error
    degradations.use("pfanet", path)
    return network.requires_grad_(False).eval()


def _block(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(inplace=True)
    )


def _to(x: Tensor, like: Tensor) -> Tensor:
    if x.shape[-2:] == like.shape[-2:]:
        return x
    # corner to corner, as in the port
    return functional.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=True)

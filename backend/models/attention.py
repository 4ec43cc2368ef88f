"""Attention that reweights a feature map: squeeze-and-excitation, CBAM and SMSA.

Every block takes and returns a map of the same shape (B, C, H, W).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


def squeezed_width(channels: int, reduction: int) -> int:
    """Hidden width of a squeeze: at least one channel, however narrow the network."""
    if channels < 1 or reduction < 1:
        raise ValueError(f"channels and reduction must be positive, not {channels} and {reduction}")
    return max(1, channels // reduction)


def channel_means(x: Tensor) -> Tensor:
    """Means of each channel (B, C, 1, 1); `mean` would first copy bfloat16 maps to float32."""
    return x.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3])


class SqueezeExcitation(nn.Module):
    """Scales each channel by a gate from its mean (Hu et al., CVPR 2018).

    The two layers are 1x1 convolutions, so that spectral norm treats them as it does the others.
    """

    def __init__(self, channels: int, reduction: int = 16, bias: bool = True) -> None:
        super().__init__()
        hidden = squeezed_width(channels, reduction)
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=bias)
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=bias)

    def gate(self, x: Tensor) -> Tensor:
        """The gates in (0, 1), shape (B, C, 1, 1)."""
        pooled = channel_means(x)
        return torch.sigmoid(self.fc2(torch.relu(self.fc1(pooled))))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class ChannelAttention(nn.Module):
    """CBAM's channel gate: one shared two-layer MLP on the maximum and on the mean of a channel.

    Woo et al., ECCV 2018, eq. 2. ``mlp_bias``: the original has biases, AALDC's release has none.
    """

    def __init__(self, channels: int, reduction: int = 16, mlp_bias: bool = False) -> None:
        super().__init__()
        hidden = squeezed_width(channels, reduction)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden, bias=mlp_bias),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, channels, bias=mlp_bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        most = F.adaptive_max_pool2d(x, 1).flatten(1)  # many times as fast as amax of maps
        gate = torch.sigmoid(self.mlp(most) + self.mlp(channel_means(x).flatten(1)))
        return x * gate[:, :, None, None]


class SpatialAttention(nn.Module):
    """CBAM's spatial gate: a convolution on the maximum and the mean over the channels.

    Woo et al., ECCV 2018, eq. 3. ``norm``: batch norm after the convolution, as in the original.
    """

    def __init__(self, kernel_size: int = 7, norm: bool = False) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, not {kernel_size}")
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.norm = nn.BatchNorm2d(1) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.norm(self.conv(pooled)))

    def fold_pairs(self) -> list[tuple[str, str]]:
        """Names of the convolution and the norm that follows it directly."""
        return [("conv", "norm")]


class CBAM(nn.Module):
    """Channel gate, then spatial gate, without a residual (Woo et al., ECCV 2018).

    The defaults are AALDC's (section 2.2); ``mlp_bias=True, spatial_norm=True`` is the original.
    """

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        kernel_size: int = 7,
        mlp_bias: bool = False,
        spatial_norm: bool = False,
    ) -> None:
        super().__init__()
        self.channel = ChannelAttention(channels, reduction, mlp_bias)
        self.spatial = SpatialAttention(kernel_size, spatial_norm)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.spatial(self.channel(x))
        return out


class MultiScaleAttention(nn.Module):
    """Stacked multi-scale attention (SMSANet, section 2.2, eq. 1-4).

    ``scales`` counts the ``scales - 1`` spatial scales, with patches of 2, 4, ... pixels a side
    that share one weight, and the channel scale. ``split``: what reduces the maximum and the mean
    over the channels to patches, ``"max_avg"`` or ``"avg_avg"``. ``theta``: start of the learned
    scale weights before their sigmoid; -4 starts the block near identity.
    """

    def __init__(
        self,
        channels: int,
        scales: int = 4,
        reduction: int = 16,
        split: str = "max_avg",
        theta: float = 0.0,
    ) -> None:
        super().__init__()
        if scales < 2:
            raise ValueError(f"scales must be at least 2, not {scales}")
        if split not in ("max_avg", "avg_avg"):
            raise ValueError(f"split must be 'max_avg' or 'avg_avg', not {split!r}")
        self.split = split
        self.convs = nn.ModuleList(nn.Conv2d(2, 1, 3, padding=1) for _ in range(scales - 1))
        self.theta = nn.Parameter(torch.full((scales - 1,), float(theta)))
        self.channel = SqueezeExcitation(channels, reduction)

    def patch_weights(self, x: Tensor) -> list[Tensor]:
        """One gate per patch, upsampled to (B, 1, H, W), for each spatial scale."""
        height, width = x.shape[2:]
        maximum, mean = x.amax(1, keepdim=True), x.mean(1, keepdim=True)
        weights = []
        for scale, conv in enumerate(self.convs, start=1):
            side = 2**scale
            pad = (0, -width % side, 0, -height % side)
            top, middle = maximum, mean
            if any(pad):
                top, middle = (F.pad(each, pad, mode="replicate") for each in (top, middle))
            top = F.max_pool2d(top, side) if self.split == "max_avg" else F.avg_pool2d(top, side)
            value = torch.cat([top, F.avg_pool2d(middle, side)], 1)
            gate = F.interpolate(torch.sigmoid(conv(value)), scale_factor=side, mode="nearest")
            weights.append(gate[:, :, :height, :width])
        return weights

    def forward(self, x: Tensor) -> Tensor:
        scales = torch.sigmoid(self.theta)
        spatial = torch.zeros((), dtype=x.dtype, device=x.device)
        for scale, weight in zip(scales, self.patch_weights(x), strict=True):
            spatial = spatial + scale * weight
        return x + x * spatial * self.channel.gate(x)

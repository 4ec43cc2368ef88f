"""The layers that the networks of all papers share, on maps of shape (B, C, H, W)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from backend.models.normalization import adain, instance_norm, make_norm
from backend.models.phases import PhaseConv

__all__ = [
    "AdaINResidualBlock",
    "ConvNormAct",
    "PixelShuffleUp",
    "ResidualBlock",
    "ResizeConvUp",
    "SpectralNorm",
    "Subsample",
    "adain",
    "choose",
    "crop_to",
    "instance_norm",
    "make_activation",
    "make_norm",
    "pad_to_multiple",
    "resize",
    "spectral_norm",
    "with_batch_counts",
]

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
ACTIVATIONS = ("none", "relu", "leaky_relu", "tanh", "sigmoid")
RESIZE_MODES = ("nearest", "bilinear", "bilinear_corners")


def choose(option: str, value: str, choices: tuple[str, ...]) -> str:
    """``value`` if it is one of ``choices``; else ``ValueError`` that names the option."""
    if value not in choices:
        raise ValueError(f"{option}={value!r} is unknown: use one of {', '.join(choices)}")
    return value


def make_activation(kind: str) -> nn.Module:
    """The activation called ``kind``; leaky_relu has slope 0.2. ReLUs work in place."""
    choose("activation", kind, ACTIVATIONS)
    if kind == "none":
        return nn.Identity()
    if kind == "relu":
        return nn.ReLU(inplace=True)
    if kind == "leaky_relu":
        return nn.LeakyReLU(0.2, inplace=True)
    return nn.Tanh() if kind == "tanh" else nn.Sigmoid()


class SpectralNorm(parametrizations._SpectralNorm):
    """Torch's own, in the weight's precision under autocast, too: CUDA's would round the products.

    One power iteration per training forward; the vectors are frozen in eval.
    """

    def forward(self, weight: Tensor) -> Tensor:
        if weight.is_meta:  # autocast knows no such device
            return super().forward(weight)
        with torch.autocast(weight.device.type, enabled=False):
            return super().forward(weight)


def spectral_norm(module: nn.Module) -> nn.Module:
    """Give a convolution or a linear layer `SpectralNorm` (Miyato et al. 2018), in place."""
    outputs = 1 if isinstance(module, nn.ConvTranspose2d) else 0
    norm = SpectralNorm(module.get_parameter("weight"), dim=outputs)
    return parametrize.register_parametrization(module, "weight", norm)


def pad_to_multiple(x: Tensor, multiple: int, minimum: int = 0) -> Tensor:
    """Replicate the right and bottom border of ``x`` (..., C, H, W) to sides that divide.

    Both sides become multiples of ``multiple`` and at least ``minimum``. A map that needs
    nothing comes back as it is.
    """
    bottom, right = (-(-max(side, minimum) // multiple) * multiple - side for side in x.shape[-2:])
    if not bottom and not right:
        return x
    flat = x.flatten(0, -4) if x.dim() > 4 else x
    padded = functional.pad(flat, (0, right, 0, bottom), mode="replicate")
    return padded.view(*x.shape[:-3], *padded.shape[1:]) if x.dim() > 4 else padded


def with_batch_counts(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``state`` with the counters of its batch norms, which files of old PyTorch versions lack."""
    counted = dict(state)
    for key in state:
        head, _, last = key.rpartition(".")
        if last == "running_mean":
            counted.setdefault(f"{head}.num_batches_tracked", torch.tensor(0))
    return counted


def crop_to(x: Tensor, height: int, width: int) -> Tensor:
    """Undo `pad_to_multiple`: the top left ``height`` x ``width`` of ``x`` (..., H, W)."""
    return x[..., :height, :width]


class ConvNormAct(nn.Module):
    """Convolution, then attention, normalisation and activation, each where asked for.

    ``padding``: None keeps the size of a stride-1 map (odd kernels), an int pads every side, and
    (left, right, top, bottom) pads unevenly. ``attention`` is any module of map to map; it stands
    between convolution and normalisation, so a batch norm behind it cannot be folded.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        padding: int | tuple[int, int, int, int] | None = None,
        *,
        padding_mode: PaddingMode = "zeros",
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        norm: str = "none",
        activation: str = "none",
        spectral: bool = False,
        attention: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if padding is None:
            padding = dilation * (kernel_size - 1) // 2
        self.uneven_padding = padding if isinstance(padding, tuple) else None
        self.fill = "constant" if padding_mode == "zeros" else padding_mode
        self.conv: nn.Module = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            0 if isinstance(padding, tuple) else padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
        )
        if spectral:
            spectral_norm(self.conv)
        self.attention = attention
        self.norm = make_norm(norm, out_channels)
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        if self.uneven_padding is not None:
            x = functional.pad(x, self.uneven_padding, mode=self.fill)
        x = self.conv(x)
        if self.attention is not None:
            x = self.attention(x)
        x = self.norm(x)
        result: Tensor = self.activation(x)
        return result

    def fold_pairs(self) -> list[tuple[str, str]]:
        """Names of the convolution and of the batch norm right behind it, if it is one."""
        folds = self.attention is None and isinstance(self.norm, nn.BatchNorm2d)
        return [("conv", "norm")] if folds else []


class ResidualBlock(nn.Module):
    """x + conv-norm-act-conv-norm(x), with the activation once more after the sum if asked for.

    He et al. 2016. ``bias`` None gives the convolutions a bias where no norm has one.
    """

    def __init__(
        self,
        channels: int,
        *,
        norm: str = "batch",
        activation: str = "relu",
        activation_after: bool = True,
        padding_mode: PaddingMode = "zeros",
        bias: bool | None = None,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        shared: dict[str, Any] = {
            "padding_mode": padding_mode,
            "bias": norm in ("none", "instance") if bias is None else bias,
            "norm": norm,
            "spectral": spectral,
        }
        self.first = ConvNormAct(channels, channels, activation=activation, **shared)
        self.second = ConvNormAct(channels, channels, **shared)
        self.activation = make_activation(activation if activation_after else "none")

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.activation(self.second(self.first(x)) + x)
        return result


class AdaINResidualBlock(nn.Module):
    """x + conv-AdaIN-ReLU-conv-AdaIN(x) (Huang et al., MUNIT 2018)."""

    def __init__(self, channels: int, padding_mode: PaddingMode = "reflect") -> None:
        super().__init__()
        self.first = ConvNormAct(channels, channels, padding_mode=padding_mode)
        self.second = ConvNormAct(channels, channels, padding_mode=padding_mode)

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        """``style`` (B or 1, 2 norms, shift and scale, C); None is plain instance norm."""
        if style is None:
            hidden = functional.relu(instance_norm(self.first(x)), inplace=True)
            return instance_norm(self.second(hidden)) + x
        first, second = style.unbind(1)
        hidden = functional.relu(adain(self.first(x), first[:, 0], first[:, 1]), inplace=True)
        return adain(self.second(hidden), second[:, 0], second[:, 1]) + x


def resize(x: Tensor, factor: int, mode: str) -> Tensor:
    """Enlarge ``x`` ``factor`` times; bilinear_corners keeps the corner pixels in the corners."""
    choose("mode", mode, RESIZE_MODES)
    if mode == "nearest":
        return functional.interpolate(x, scale_factor=factor, mode="nearest")
    corners = mode == "bilinear_corners"
    return functional.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=corners)


class ResizeConvUp(nn.Module):
    """Enlarge, then `ConvNormAct` (whose options it takes): upsampling without checkerboards."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        factor: int = 2,
        mode: str = "nearest",
        **options: Any,
    ) -> None:
        super().__init__()
        self.factor = factor
        self.mode = choose("mode", mode, RESIZE_MODES)
        self.block = ConvNormAct(in_channels, out_channels, kernel_size, **options)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.block(resize(x, self.factor, self.mode))
        return result

    def inference_form(self) -> nn.Module:
        """The same map without the enlarged input: convolve at the small size, once per phase.

        The layer itself where that is not exact (bilinear, reflection of more than one pixel).
        Needs plain weights: fold spectral norm first.
        """
        if self.mode == "nearest" and PhaseConv.serves(self.block.conv, self.block.uneven_padding):
            self.block.conv = PhaseConv(self.block.conv, self.factor, self.block.uneven_padding)
            self.block.uneven_padding = None
            return self.block
        return self


class PixelShuffleUp(nn.Module):
    """Convolution to ``factor``² times the channels, then pixel shuffle (Shi et al. 2016)."""

    def __init__(
        self, in_channels: int, out_channels: int, factor: int = 2, activation: str = "none"
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels * factor**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(factor)
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.activation(self.shuffle(self.conv(x)))
        return result


class Subsample(nn.Module):
    """Keep every ``factor``-th row and column."""

    def __init__(self, factor: int = 2) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x[..., :: self.factor, :: self.factor]

"""Patch critics: a logit for every overlapping patch of a picture, at one or several scales.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (2017), section
3.2.2; several scales after Wang et al., "High-Resolution Image Synthesis" (2018), section 3.2.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from backend.models.layers import ConvNormAct, choose
from training.critics.spectral import spectral_convolutions

NORMS = ("none", "batch", "instance", "ibn")
SPECTRAL_SCOPES = ("none", "inner", "all")
PADDINGS = ("one", "same")
POOLS = ("avg2", "avg3")
IBN_MODES = {"replace": "instance", "split": "ibn_split", "sequential": "ibn_seq"}
INSTANCE_SCOPES = {"channel": "instance_affine", "sample": "sample"}
_KERNEL = 4


class PatchDiscriminator(nn.Module):
    """``n_layers`` 4x4 convolutions that halve the picture, then one to a map of logits.

    Widths double from ``width`` up to eight times it. The last of the layers has stride
    ``last_stride`` (1 gives a patch of 70 px with four layers, 2 one of 94 px). LeakyReLU 0.2.

    Options: ``norm`` none | batch | instance | ibn (batch with instance norm on the second layer,
    placed as ``ibn_mode`` says: replace | split | sequential); ``in_scope`` channel | sample (what
    the ibn_gan release normalises over, where ``ibn_mode`` is replace); ``norm_first`` normalises
    the first layer, too;
    ``spectral`` none | inner (all but the last) | all; ``padding`` one | same (Keras: an even
    kernel of stride 1 pads one left and two right); ``final_padding`` of the last convolution
    where padding is one; ``keras`` sets Keras' momentum and epsilon of batch norm and its
    initial weights.

    Raises ValueError for an option out of range.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        width: int = 64,
        n_layers: int = 4,
        last_stride: int = 1,
        norm: str = "none",
        ibn_mode: str = "replace",
        in_scope: str = "channel",
        norm_first: bool = False,
        bias: bool = True,
        spectral: str = "inner",
        padding: str = "one",
        final_padding: int = 1,
        keras: bool = False,
    ) -> None:
        super().__init__()
        self.options = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        choose("norm", norm, NORMS)
        choose("ibn_mode", ibn_mode, tuple(IBN_MODES))
        choose("in_scope", in_scope, tuple(INSTANCE_SCOPES))
        choose("spectral", spectral, SPECTRAL_SCOPES)
        choose("padding", padding, PADDINGS)
        if in_scope == "sample" and norm == "ibn" and ibn_mode != "replace":
            raise ValueError(f"in_scope='sample' is not defined for ibn_mode={ibn_mode!r}")
        if last_stride not in (1, 2):
            raise ValueError(f"last_stride={last_stride} is unknown: use 1 or 2")
        uneven = (1, 2, 1, 2) if padding == "same" else None
        layers = []
        channels = in_channels
        for index in range(n_layers):
            stride = last_stride if index == n_layers - 1 else 2
            wide = width * min(2**index, 8)
            layers.append(
                ConvNormAct(
                    channels,
                    wide,
                    _KERNEL,
                    stride,
                    uneven if uneven and stride == 1 else 1,
                    bias=bias,
                    norm=self._norm_of(index),
                    activation="leaky_relu",
                )
            )
            channels = wide
        layers.append(
            ConvNormAct(
                channels,
                1,
                _KERNEL,
                1,
                uneven or final_padding,
                bias=bias,
            )
        )
        self.layers = nn.Sequential(*layers)
        if keras:
            self.apply(_keras_defaults)
        # after the weights have their start: the vectors of the norm belong to them
        if spectral != "none":
            spectral_convolutions(self.layers if spectral == "all" else self.layers[:-1])

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, in_channels, H, W) -> one map of logits (B, 1, h, w)."""
        return [self.layers(x)]

    def _norm_of(self, index: int) -> str:
        options = self.options
        if index == 0 and not options["norm_first"]:
            return "none"
        kind = str(options["norm"])
        if kind == "ibn":
            kind = IBN_MODES[str(options["ibn_mode"])] if index == 1 else "batch"
        return INSTANCE_SCOPES[str(options["in_scope"])] if kind == "instance" else kind


class MultiScaleDiscriminator(nn.Module):
    """``critics`` patch critics of one shape and weights of their own, on ever smaller pictures.

    ``pool`` avg2 halves by 2x2 averages; avg3 by 3x3 averages of stride 2 that leave the border
    out of the count. All other options are those of `PatchDiscriminator`.

    Raises ValueError for an option out of range.
    """

    def __init__(self, *, critics: int = 3, pool: str = "avg2", **options: Any) -> None:
        super().__init__()
        self.options = {"critics": critics, "pool": pool, **options}
        choose("pool", pool, POOLS)
        if critics < 1:
            raise ValueError(f"critics={critics}: there has to be at least one")
        self.critics = nn.ModuleList(PatchDiscriminator(**options) for _ in range(critics))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, in_channels, H, W) -> a map of logits for each scale, the full size first."""
        maps = []
        for index, critic in enumerate(self.critics):
            if index:
                x = self._halve(x)
            maps += critic(x)
        return maps

    def _halve(self, x: Tensor) -> Tensor:
        if self.options["pool"] == "avg2":
            return functional.avg_pool2d(x, 2)
        return functional.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False)


def _keras_defaults(module: nn.Module) -> None:
    if isinstance(module, nn.BatchNorm2d):
        module.momentum, module.eps = 0.01, 1e-3
    elif isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

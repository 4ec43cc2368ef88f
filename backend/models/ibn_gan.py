"""Chroma U-Net: the generator of IBN-GAN (Gorriz Blanch et al., MMSP 2019).

L in, ab out, in the `LabCodec` named "ibn". Layer table: section 2 of the paper's release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from backend.models.layers import (
    ConvNormAct,
    ResizeConvUp,
    choose,
    crop_to,
    make_activation,
    pad_to_multiple,
    spectral_norm,
)

NORMS = ("ibn", "batch", "instance", "none")
IBN_MODES = ("replace", "split", "sequential")
SCOPES = ("channel", "sample")
# Keras' "same" for an even kernel: one row more at the right and at the bottom
SAME = (1, 2, 1, 2)


@dataclass(frozen=True)
class ChromaOutput:
    """``main``: ab (B, 2, H, W) in [-1, 1]. ``logits``: (B, classes, H/4, W/4) where asked for."""

    main: Tensor
    logits: Tensor | None = None


class ChromaUNet(nn.Module):
    """U-Net of 4x4 convolutions; halves ``depth`` times, so 7 takes 256 to 2.

    ``norm``: "batch", "instance" or "ibn", which ``ibn_mode`` reads as instance norm in place of
    batch norm at the last decoder layer ("replace", the release), half of the channels each at the
    two shallowest normalised layers of either side ("split", IBN-a), or batch then instance there
    ("sequential"). ``in_scope``: instance norm over one channel, or over the sample as in the
    release. ``spectral``: spectral norm on every convolution. ``width``: channels of level 1.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        norm: str = "ibn",
        spectral: bool = True,
        ibn_mode: str = "replace",
        in_scope: str = "channel",
        depth: int = 7,
    ) -> None:
        super().__init__()
        self.options: dict[str, Any] = {
            "width": width,
            "norm": norm,
            "spectral": spectral,
            "ibn_mode": ibn_mode,
            "in_scope": in_scope,
            "depth": depth,
        }
        choose("norm", norm, NORMS)
        choose("ibn_mode", ibn_mode, IBN_MODES)
        choose("in_scope", in_scope, SCOPES)
        if width < 1 or not 2 <= depth <= 10:
            raise ValueError(f"width={width} must be positive and depth={depth} in 2..10")
        if in_scope == "sample" and norm == "ibn" and ibn_mode != "replace":
            raise ValueError(f"in_scope='sample' is not defined for ibn_mode={ibn_mode!r}")
        self.depth = depth
        widths = [width * min(2**level, 8) for level in range(depth)]
        self.encoders = nn.ModuleList(
            ConvNormAct(
                before,
                after,
                4,
                2,
                1,
                norm=self._norm_of_encoder(level),
                activation="leaky_relu",
            )
            for level, (before, after) in enumerate(zip([1, *widths], widths, strict=False))
        )
        decoders = []
        channels = widths[-1]
        for level in reversed(range(depth - 1)):
            decoders.append(
                ResizeConvUp(
                    channels,
                    widths[level],
                    4,
                    padding=SAME,
                    norm=self._norm_of_decoder(level),
                    activation="relu",
                )
            )
            channels = 2 * widths[level]
        self.decoders = nn.ModuleList(decoders)
        self.exit = ResizeConvUp(channels, 2, 4, padding=SAME)
        self.activation = make_activation("tanh")
        self.apply(_start_as_keras)
        if spectral:  # after the weights have their start: the norm's vectors belong to it
            for layer in list(self.modules()):
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def _norm_of_encoder(self, level: int) -> str:
        """Norm after the convolution that makes level ``level``; none on the input layer."""
        if level == 0:
            return "none"
        return self._norm(shallow=level in (1, 2), replaced=False)

    def _norm_of_decoder(self, level: int) -> str:
        """Norm of the decoder layer whose result has the size of encoder level ``level``."""
        return self._norm(shallow=level in (0, 1), replaced=level == 0)

    def _norm(self, shallow: bool, replaced: bool) -> str:
        instance = "sample" if self.options["in_scope"] == "sample" else "instance_affine"
        norm: str = self.options["norm"]
        if norm != "ibn":
            return instance if norm == "instance" else norm
        if self.options["ibn_mode"] == "replace":
            return instance if replaced else "batch"
        mixed = "ibn_split" if self.options["ibn_mode"] == "split" else "ibn_seq"
        return mixed if shallow else "batch"

    def forward(self, gray: Tensor) -> ChromaOutput:
        """ab of L (B, 1, H, W) in [-1, 1]; sides are padded to multiples of 2**depth inside."""
        x = pad_to_multiple(gray, 2**self.depth)
        maps: list[Tensor] = []
        for encoder in self.encoders:
            x = encoder(x)
            maps.append(x)
        for decoder, skip in zip(self.decoders, reversed(maps[:-1]), strict=True):
            x = torch.cat([decoder(x), skip], 1)
        return ChromaOutput(crop_to(self.activation(self.exit(x)), *gray.shape[2:]))


def _start_as_keras(module: nn.Module) -> None:
    """The defaults of the framework of the release: Glorot-uniform, its batch norm's constants."""
    if isinstance(module, nn.BatchNorm2d):
        module.eps, module.momentum = 1e-3, 0.01
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

"""MangaGAN: colours a page from its lines and sparse hints (Golyadkin and Makarov, AIST 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from backend.models.layers import choose, crop_to, pad_to_multiple
from backend.models.seresnext import FrozenFeatures, SEResNeXtBlock

STRIDE = 32
BLOCK_OF_10 = (1, 1, 2, 2, 4, 4, 2, 2, 1, 1)
BLOCK_OF_8 = (1, 1, 2, 2, 4, 4, 2, 1)
DEEPEST = 20
# dilations of the blocks of the decoder stages at 1/16, 1/8, 1/4 and 1/2; "compact" is ours
DILATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "paper": ((1,) * DEEPEST, BLOCK_OF_10, BLOCK_OF_10, (1, 2, 2, 4, 2, 2, 1)),
    "release": ((1,) * DEEPEST, BLOCK_OF_8, BLOCK_OF_8, (1, 2, 4, 2, 1)),
    "compact": ((1, 2, 4, 1), (1, 2, 4, 1), (1, 2, 4, 1), (1, 2)),
}


@dataclass(frozen=True)
class PageOutput:
    """``main``: (B, 3, H, W) in [-1, 1]. ``aux``: the same from the deepest decoder stage, in
    training only. ``features``: what `encode_page` gave, for a critic or for the next call."""

    main: Tensor
    aux: Tensor | None
    features: Tensor


def leaky() -> nn.Module:
    """The activation of every plain convolution here."""
    return nn.LeakyReLU(0.2, inplace=True)


def decoder_stage(
    before: int, after: int, groups: int, dilations: Sequence[int], excitation: bool = True
) -> nn.Sequential:
    """Convolution, residual blocks, and pixel shuffle to twice the size and ``after`` channels."""
    inner = 2 * after
    blocks = (SEResNeXtBlock(inner, groups, dilation=d, excitation=excitation) for d in dilations)
    return nn.Sequential(
        nn.Conv2d(before, inner, 3, padding=1),
        leaky(),
        nn.Sequential(*blocks),
        nn.Conv2d(inner, 4 * after, 3, padding=1),
        nn.PixelShuffle(2),
        leaky(),
    )


def xavier(module: nn.Module) -> None:
    """Xavier-uniform weights for convolutions, as in the release."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)


class MangaGenerator(nn.Module):
    """The U-Net behind the extractor; ``width`` is that of its full-size level.

    ``size``: block counts of the "paper" or the "release"; or "compact", 14 blocks instead of 47,
    which learn without norms in an hour. ``t4_dilation``: dilate the deepest stage of the first two
    too, as the paper's text may be read. ``feature_channels``: channels of the extractor.
    ``ValueError`` for other sizes, a width below 4, or a dilation that the compact one has not.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        size: str = "paper",
        t4_dilation: bool = False,
        feature_channels: int = 512,
    ) -> None:
        super().__init__()
        choose("size", size, tuple(DILATIONS))
        if width < 4:
            raise ValueError(f"width={width} must be at least 4")
        self.options: dict[str, Any] = {
            "width": width,
            "size": size,
            "t4_dilation": t4_dilation,
            "feature_channels": feature_channels,
        }
        widths = [width * 2**level for level in range(5)]
        self.encoders = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, 1 if level == 0 else 2, 1),
                leaky(),
                nn.Conv2d(after, after, 3, padding=1),
                leaky(),
            )
            for level, (before, after) in enumerate(zip([6, *widths], widths, strict=False))
        )
        deep = widths[4]
        self.features = nn.Sequential(
            nn.Conv2d(feature_channels, deep, 3, padding=1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(deep, deep, 3, 2, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(deep, deep, 3, padding=1, bias=False),
            nn.ReLU(inplace=True),
        )
        if t4_dilation and size == "compact":
            raise ValueError("t4_dilation is for size=paper and size=release")
        dilations = DILATIONS[size]
        if t4_dilation:
            dilations = (2 * BLOCK_OF_10, *dilations[1:])
        self.decoders = nn.ModuleList(
            decoder_stage(4 * after, after, 32 if level else 16, dilations[3 - level])
            for level, after in reversed(list(enumerate(widths[:4])))
        )
        self.exit = nn.Conv2d(2 * width, 3, 3, padding=1)
        self.aux: nn.Module | None = nn.Sequential(
            nn.ConvTranspose2d(8 * width, 4 * width, 3, 2, 1, output_padding=1),
            leaky(),
            nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, output_padding=1),
            leaky(),
            nn.ConvTranspose2d(2 * width, width, 3, 2, 1, output_padding=1),
            leaky(),
            nn.ConvTranspose2d(width, 3, 3, 1, 1),
            nn.Tanh(),
        )
        self.apply(xavier)

    def training_heads(self) -> list[str]:
        """What the inference form goes without."""
        return ["aux"]

    def forward(self, page: Tensor, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """Main and auxiliary colours of ``page`` (B, 6, H, W): lines, distance, hint.

        ``features`` (B, 16 * width, H/16, W/16) come from ``self.features``.
        """
        maps: list[Tensor] = []
        x = page
        for encoder in self.encoders:
            x = encoder(x)
            maps.append(x)
        x = self.decoders[0](torch.cat([maps[4], features], 1))
        aux = self.aux(x) if self.training and self.aux is not None else None
        for decoder, skip in zip(list(self.decoders)[1:], (maps[3], maps[2], maps[1]), strict=True):
            x = decoder(torch.cat([x, skip], 1))
        return torch.tanh(self.exit(torch.cat([x, maps[0]], 1))), aux


class MangaColorizer(nn.Module):
    """Extractor and generator together; the options are theirs."""

    def __init__(
        self,
        *,
        width: int = 32,
        size: str = "paper",
        t4_dilation: bool = False,
        extractor_width: int = 64,
        extractor_trainable: bool = False,
    ) -> None:
        super().__init__()
        self.options: dict[str, Any] = {
            "width": width,
            "size": size,
            "t4_dilation": t4_dilation,
            "extractor_width": extractor_width,
            "extractor_trainable": extractor_trainable,
        }
        self.extractor = FrozenFeatures(extractor_width, extractor_trainable)
        self.generator = MangaGenerator(
            width=width,
            size=size,
            t4_dilation=t4_dilation,
            feature_channels=8 * extractor_width,
        )

    def encode_page(self, line: Tensor) -> Tensor:
        """What depends on the lines (B, 1, H, W) alone: once per page serves every hint."""
        features: Tensor = self.generator.features(self.extractor(pad_to_multiple(line, STRIDE)))
        return features

    def forward(
        self, line: Tensor, distance: Tensor, hint: Tensor, features: Tensor | None = None
    ) -> PageOutput:
        """Colours of a page. ``line`` and ``distance`` (B, 1, H, W) in [0, 1], ``hint``
        (B, 4, H, W): colour in [-1, 1] times mask, then the mask."""
        if features is None:
            features = self.encode_page(line)
        page = pad_to_multiple(torch.cat([line, distance, hint], 1), STRIDE)
        main, aux = self.generator(page, features)
        height, width = line.shape[2:]
        if aux is not None:
            aux = crop_to(aux, height, width)
        return PageOutput(crop_to(main, height, width), aux, features)


def from_release(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The public generator's weights under `MangaGenerator`'s names (``size="release"``).

    ``ValueError`` names the first unknown key.
    """
    modules = {"feature_conv.network": "features", "deconv_for_decoder": "aux", "exit": "exit"}
    modules |= {f"to{level}": f"encoders.{level}" for level in range(5)}
    modules |= {f"tunnel{4 - stage}": f"decoders.{stage}" for stage in range(4)}
    return rename(state, modules, "the manga generator")


PARTS = {
    "conv_reduce": "reduce",
    "conv_conv": "middle",
    "conv_expand": "expand",
    "selayer.conv1": "excitation.fc1",
    "selayer.conv2": "excitation.fc2",
}


def rename(state: dict[str, Tensor], modules: dict[str, str], what: str) -> dict[str, Tensor]:
    """``state`` with the heads of its keys changed, and the parts of its blocks."""
    renamed = {}
    for key, value in state.items():
        head = next((old for old in modules if key.startswith(f"{old}.")), None)
        if head is None:
            raise ValueError(f"{key!r} is no key of {what}")
        name = modules[head] + key[len(head) :]
        for old, new in PARTS.items():
            name = name.replace(f".{old}.", f".{new}.")
        renamed[name] = value
    return renamed

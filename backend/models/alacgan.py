"""AlacGAN, the baseline of MangaGAN: lines, quarter-size hints and features of the lines.

Its feature network (Illustration2Vec) gives 512 channels at 1/16; MangaGAN's extractor stands in
for it, brought from 1/8 to that size by averages.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from backend.models.layers import crop_to, pad_to_multiple
from backend.models.manga import (
    BLOCK_OF_8,
    DEEPEST,
    STRIDE,
    PageOutput,
    decoder_stage,
    leaky,
    rename,
)
from backend.models.seresnext import FrozenFeatures


def quarter_hint(hint: Tensor) -> Tensor:
    """A hint (B, 4, H, W) at a quarter of its size: the mean of what each 4x4 cell holds."""
    mean = F.avg_pool2d(hint, 4)
    share = mean[:, 3:]
    return torch.cat([mean[:, :3] / share.clamp_min(1 / 16), (share > 0).to(hint.dtype)], 1)


class AlacGANGenerator(nn.Module):
    """The generator alone. ``width`` is that of its level at 1/2 (64 in the release)."""

    def __init__(self, *, width: int = 64, feature_channels: int = 512) -> None:
        super().__init__()
        if width < 8 or width % 2:
            raise ValueError(f"width={width} must be even and at least 8")
        self.options: dict[str, Any] = {"width": width, "feature_channels": feature_channels}
        w = width
        self.hint = nn.Sequential(nn.Conv2d(4, w, 7, padding=3), leaky())
        self.encoders = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(1, w // 2, 3, padding=1), leaky()),
                nn.Sequential(nn.Conv2d(w // 2, w, 4, 2, 1), leaky()),
                nn.Sequential(nn.Conv2d(w, 2 * w, 4, 2, 1), leaky()),
                nn.Sequential(nn.Conv2d(3 * w, 4 * w, 4, 2, 1), leaky()),
                nn.Sequential(nn.Conv2d(4 * w, 8 * w, 4, 2, 1), leaky()),
            ]
        )
        self.decoders = nn.ModuleList(
            [
                decoder_stage(8 * w + feature_channels, 4 * w, 32, (1,) * DEEPEST, False),
                decoder_stage(8 * w, 2 * w, 32, BLOCK_OF_8, False),
                decoder_stage(4 * w, w, 32, BLOCK_OF_8, False),
                decoder_stage(2 * w, w // 2, 16, (1, 2, 4, 2, 1), False),
            ]
        )
        self.exit = nn.Conv2d(w, 3, 3, padding=1)

    def forward(self, sketch: Tensor, hint: Tensor, features: Tensor) -> Tensor:
        """Colours (B, 3, H, W) in [-1, 1] of a sketch (B, 1, H, W) in [-1, 1].

        ``hint`` (B, 4, H/4, W/4); ``features`` (B, feature_channels, H/16, W/16).
        """
        maps: list[Tensor] = []
        x = sketch
        for level, encoder in enumerate(self.encoders):
            x = encoder(torch.cat([x, self.hint(hint)], 1) if level == 3 else x)
            maps.append(x)
        x = self.decoders[0](torch.cat([x, features], 1))
        for decoder, skip in zip(list(self.decoders)[1:], (maps[3], maps[2], maps[1]), strict=True):
            x = decoder(torch.cat([x, skip], 1))
        return torch.tanh(self.exit(torch.cat([x, maps[0]], 1)))


class AlacGANColorizer(nn.Module):
    """Extractor and generator behind the same call as `MangaColorizer`."""

    def __init__(
        self, *, width: int = 64, extractor_width: int = 64, extractor_trainable: bool = False
    ) -> None:
        super().__init__()
        self.options: dict[str, Any] = {
            "width": width,
            "extractor_width": extractor_width,
            "extractor_trainable": extractor_trainable,
        }
        self.extractor = FrozenFeatures(extractor_width, extractor_trainable)
        self.generator = AlacGANGenerator(width=width, feature_channels=8 * extractor_width)

    def encode_page(self, line: Tensor) -> Tensor:
        """Features (B, 8 * extractor_width, H/16, W/16) of lines (B, 1, H, W) in [0, 1]."""
        return F.avg_pool2d(self.extractor(pad_to_multiple(line, STRIDE)), 2)

    def forward(
        self, line: Tensor, distance: Tensor, hint: Tensor, features: Tensor | None = None
    ) -> PageOutput:
        """Colours of a page, as `MangaColorizer.forward`; this network sees no ``distance``."""
        if features is None:
            features = self.encode_page(line)
        small = quarter_hint(pad_to_multiple(hint, STRIDE))
        sketch = 2 * pad_to_multiple(line, STRIDE) - 1
        main = self.generator(sketch, small, features)
        return PageOutput(crop_to(main, *line.shape[2:]), None, features)


def from_release(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The public generator's weights under `AlacGANGenerator`'s names."""
    modules = {"toH": "hint", "exit": "exit"}
    modules |= {f"to{level}": f"encoders.{level}" for level in range(5)}
    modules |= {f"tunnel{4 - stage}": f"decoders.{stage}" for stage in range(4)}
    return rename(state, modules, "the AlacGAN generator")

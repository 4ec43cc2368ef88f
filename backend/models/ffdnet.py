"""FFDNet: takes noise of a known strength off a picture.

Zhang, Zuo and Zhang, "FFDNet: Toward a Fast and Flexible Solution for CNN-Based Image Denoising"
(IEEE Transactions on Image Processing 2018).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from backend.models.layers import crop_to, pad_to_multiple

# options of the networks whose weights are published, by the names of their files
PUBLISHED: dict[str, dict[str, int]] = {
    "ffdnet_color": {"channels": 3, "width": 96, "layers": 12},
    "ffdnet_gray": {"channels": 1, "width": 64, "layers": 15},
}


class FFDNet(nn.Module):
    """3x3 convolutions with ReLU at half size, on a picture's four phases and a map of its noise.

    ``channels`` of the picture, ``width`` of the hidden maps, ``layers``: convolutions. Names of
    weights are those of the published files. ``ValueError`` for fewer than 1, 1 and 2 of them.
    """

    def __init__(self, *, channels: int = 3, width: int = 96, layers: int = 12) -> None:
        super().__init__()
        if channels < 1 or width < 1 or layers < 2:
            raise ValueError(f"{channels=}, {width=} and {layers=} must be at least 1, 1 and 2")
        self.options: dict[str, Any] = {"channels": channels, "width": width, "layers": layers}
        phases = 4 * channels
        maps = [phases + 1, *[width] * (layers - 1), phases]
        parts: list[nn.Module] = []
        for before, after in pairwise(maps):
            parts += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
        self.model = nn.Sequential(*parts[:-1])  # the last convolution gives the picture as it is

    @property
    def margin(self) -> int:
        """Pixels round a part of a picture that the part's result depends on; an even number."""
        layers: int = self.options["layers"]
        return 2 * layers

    def forward(self, picture: Tensor, sigma: Tensor) -> Tensor:
        """The picture without its noise, (B, channels, H, W), about [0, 1] and not clipped.

        ``picture`` (B, channels, H, W) in [0, 1], of any size. ``sigma``: standard deviation of the
        noise in the same unit, (B or 1, 1, 1, 1), or a map with (H + 1) // 2 and (W + 1) // 2 in
        the place of the last two.
        """
        phases = F.pixel_unshuffle(pad_to_multiple(picture, 2), 2)
        noise = sigma.expand(phases.shape[0], 1, *phases.shape[2:])
        clean = F.pixel_shuffle(self.model(torch.cat([phases, noise], 1)), 2)
        return crop_to(clean, *picture.shape[2:])

"""The colour chooser: a colour for each region of a line drawing that nobody has named.

Ours, not a paper's: a choice among the commonest colours of drawings, not their mean, so that what
comes out is a colour; on what the region matcher sees of the regions, and on the colours that are
known already.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from .matching import COLOR_FACTS


class ColorChooser(nn.Module):
    """``dim``: of the matcher's tokens; ``width``: of its own; ``layers`` of attention between
    regions; ``colors``: how many there are to choose from.

    ``palette``: (colors, 3) RGB in [0, 1], a buffer that training fills.
    """

    palette: Tensor

    def __init__(
        self,
        *,
        dim: int = 128,
        width: int = 128,
        heads: int = 4,
        layers: int = 3,
        colors: int = 96,
    ) -> None:
        super().__init__()
        self.options = {
            "dim": dim,
            "width": width,
            "heads": heads,
            "layers": layers,
            "colors": colors,
        }
        self.register_buffer("palette", torch.zeros(colors, 3))
        self.from_token = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, width))
        self.from_color = nn.Sequential(
            nn.Linear(COLOR_FACTS, width), nn.GELU(), nn.Linear(width, width)
        )
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.regions = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, colors))

    def forward(self, tokens: Tensor, color: Tensor, valid: Tensor) -> Tensor:
        """Log-probabilities (B, N, colors) of each region's colour.

        tokens: (B, N, dim) of `matching.Features`. color: (B, N, 4) L, a, b in hundredths and
        whether it is known. valid: (B, N) bool, one at least in each drawing.
        """
        x = self.from_token(tokens) + self.from_color(color)
        x = self.regions(x, src_key_padding_mask=~valid)
        return functional.log_softmax(self.head(x), -1)

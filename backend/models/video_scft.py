"""ARDSC, a baseline of RLAV's Table 2: SCFT on the frames of a shot (Lee et al., CVPR 2020)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from backend.models.aaldc import AnimeReferenceColorizer
from backend.models.correspondence import References
from backend.models.video_transform import TransformOutput


class ShotReferenceColorizer(nn.Module):
    """The generator of AALDC's rows behind the calls of `ColorTransformNet`.

    The defaults are "Lee et al. (SCFT)"; the options are those of `AnimeReferenceColorizer`. It
    sees neither distance fields nor the lines of references. Raises ``ValueError`` as that does.
    """

    def __init__(
        self,
        *,
        width: int = 16,
        correspondence: str = "scft",
        encoder_attention: str = "none",
        encoder_norm: str = "none",
        blocks: int = 4,
    ) -> None:
        super().__init__()
        self.options: dict[str, Any] = {
            "width": width,
            "correspondence": correspondence,
            "encoder_attention": encoder_attention,
            "encoder_norm": encoder_norm,
            "blocks": blocks,
        }
        self.generator = AnimeReferenceColorizer(**self.options)

    def encode_references(
        self, reference_line: Tensor, reference_distance: Tensor, reference_color: Tensor
    ) -> References:
        """What the colours (B,K,3,H,W), in [-1,1], of K references contribute; once per shot."""
        return self.generator.encode_references(reference_color)

    def forward_with(
        self, line: Tensor, distance: Tensor, references: References
    ) -> TransformOutput:
        """Colour ``line`` (B,1,H,W) in [-1,1] by the answer of `encode_references`."""
        return TransformOutput(self.generator.forward_with(line, references).main)

    def forward(
        self,
        line: Tensor,
        distance: Tensor,
        reference_line: Tensor,
        reference_distance: Tensor,
        reference_color: Tensor,
    ) -> TransformOutput:
        """Colour ``line`` (B,1,H,W) like references (B,K,1 or 3,H,W), all in [-1,1]."""
        references = self.encode_references(reference_line, reference_distance, reference_color)
        return self.forward_with(line, distance, references)

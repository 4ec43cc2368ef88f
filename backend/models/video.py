"""RLAV: colours the frames of a shot from coloured ones (Shi et al., TVCG 2023).

`ColorTransformNet` colours frame by frame, `TemporalRefinementNet` then makes them agree.
"""

from __future__ import annotations

from backend.models.video_refine import RefinementOutput, TemporalRefinementNet
from backend.models.video_transform import ColorTransformNet, TransformOutput, TransformReferences

__all__ = [
    "ColorTransformNet",
    "RefinementOutput",
    "TemporalRefinementNet",
    "TransformOutput",
    "TransformReferences",
]

"""The colour transform network of RLAV: one frame, coloured like K references.

Shi et al., Reference-Based Deep Line Art Video Colorization, TVCG 2023, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from backend.models.correspondence import CORRESPONDENCES, References, make_correspondence
from backend.models.layers import (
    AdaINResidualBlock,
    ConvNormAct,
    ResizeConvUp,
    choose,
    crop_to,
    pad_to_multiple,
    spectral_norm,
)

MATCHING_INPUTS = ("distance", "line")
SPECTRAL_SCOPES = ("encdec", "all", "none")
STRIDE = 8
SMALLEST = 16  # the embedder halves four times, and reflection needs two pixels each time


@dataclass(frozen=True)
class TransformOutput:
    """``main`` (B,3,H,W) sRGB in [-1,1].

    ``latent_similarity``, ``latent_middle`` (B,3,H/4,W/4): what the latent decoders make of
    f_sim and of the middle's output; only in training. The sides are those of the padded frame.
    """

    main: Tensor
    latent_similarity: Tensor | None = None
    latent_middle: Tensor | None = None


@dataclass(frozen=True)
class TransformReferences:
    """What a shot's references contribute to each of its frames.

    ``matches``: of the correspondence. ``style`` (B, blocks, 2 norms, shift and scale, C).
    """

    matches: References | None
    style: Tensor | None


def _encoder(in_channels: int, width: int, spectral: bool) -> nn.Sequential:
    """Section 2.1 of the specification: (B,c,H,W) to (B,4 width,H/4,W/4)."""
    sizes = (
        (in_channels, width, 7, 1, 3),
        (width, 2 * width, 4, 2, 1),
        (2 * width, 4 * width, 4, 2, 1),
    )
    return nn.Sequential(
        *(
            ConvNormAct(
                *size,
                padding_mode="reflect",
                norm="instance",
                activation="relu",
                spectral=spectral,
            )
            for size in sizes
        )
    )


class Embedder(nn.Module):
    """References (line and colour) to AdaIN parameters (section 2.3 of the specification).

    Five convolutions without normalisation, the mean over the pixels and a linear layer make a
    vector of each reference; their mean goes through a two-layer perceptron.
    """

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        style = 4 * width
        widths = (4, width, 2 * width, style, style, style)
        self.convs = nn.Sequential(
            *(
                ConvNormAct(
                    before,
                    after,
                    7 if index == 0 else 4,
                    1 if index == 0 else 2,
                    3 if index == 0 else 1,
                    padding_mode="reflect",
                    activation="relu",
                )
                for index, (before, after) in enumerate(pairwise(widths))
            )
        )
        self.project = nn.Conv2d(style, style, 1)
        self.shape = (blocks, 2, 2, style)
        last = nn.Linear(style, 4 * blocks * style)
        with torch.no_grad():
            # a scale of 1 and a shift of 0, so that AdaIN begins as instance norm
            last.bias.view(self.shape).copy_(torch.tensor([0.0, 1.0])[:, None].to(last.bias.device))
        self.perceptron = nn.Sequential(nn.Linear(style, style), nn.ReLU(inplace=True), last)

    def forward(self, line: Tensor, color: Tensor) -> Tensor:
        """(B,K,1,H,W) and (B,K,3,H,W) to (B, blocks, 2 norms, shift and scale, 4 width)."""
        references = torch.cat((line, color), 2).unbind(1)
        vectors = [self.project(self.convs(each).mean((2, 3), keepdim=True)) for each in references]
        mean = torch.stack(vectors).mean(0).flatten(1)
        style: Tensor = self.perceptron(mean).unflatten(1, self.shape)
        return style


class ReferenceMatching(nn.Module):
    """Frames and references in one feature space, and the correspondence between them."""

    def __init__(self, width: int, spectral: bool, correspondence: str, **options: Any) -> None:
        super().__init__()
        self.match_encoder = _encoder(1, width, spectral)
        self.color_encoder = _encoder(3, width, spectral)
        self.correspondence = make_correspondence(correspondence, 4 * width, **options)

    def encode_references(self, seen: Tensor, color: Tensor) -> References:
        """Of references (B,K,1,H,W) and their colours (B,K,3,H,W)."""
        # one reference at a time: the first layer's maps are large
        keys = [self.match_encoder(each) for each in seen.unbind(1)]
        values = [self.color_encoder(each) for each in color.unbind(1)]
        return self.correspondence.encode_references(keys, values)

    def attend(self, seen: Tensor, references: References) -> Tensor:
        """f_sim (B, 4 width, H/4, W/4) of a frame (B,1,H,W)."""
        return self.correspondence.attend(self.match_encoder(seen), references)


class ColorTransformNet(nn.Module):
    """The network of section 3.2, with every switch of Table 1, for any number of references.

    - "No Sim": ``sim_enabled=False``; "No Emb": ``embedder_enabled=False``; "No Line Art":
      ``line_branch=False``; "No Distance": ``matching_input="line"``; figure 6: ``sn_scope``.

    ``width``: channels of the first layer (64 in the paper; features have four times as many).
    ``blocks``: residual blocks of the middle. ``mask_channels``: see `DistanceAttention`.
    ``correspondence``: distance, or sga or scft in its place.
    Raises ``ValueError`` for an unknown option, or if nothing of the frame would be seen.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 8,
        sim_enabled: bool = True,
        embedder_enabled: bool = True,
        line_branch: bool = True,
        matching_input: str = "distance",
        sn_scope: str = "encdec",
        mask_channels: int | None = None,
        correspondence: str = "distance",
    ) -> None:
        super().__init__()
        if not sim_enabled and not line_branch:
            raise ValueError("sim_enabled and line_branch are both False: keep one of them")
        if mask_channels is not None and correspondence != "distance":
            raise ValueError(f"mask_channels={mask_channels} needs correspondence='distance'")
        choose("sn_scope", sn_scope, SPECTRAL_SCOPES)
        self.options = {
            "width": width,
            "blocks": blocks,
            "sim_enabled": sim_enabled,
            "embedder_enabled": embedder_enabled,
            "line_branch": line_branch,
            "matching_input": choose("matching_input", matching_input, MATCHING_INPUTS),
            "sn_scope": sn_scope,
            "mask_channels": mask_channels,
            "correspondence": choose("correspondence", correspondence, CORRESPONDENCES),
        }
        self.matching_input = matching_input
        features = 4 * width
        normalised = sn_scope != "none"
        self.line_encoder = _encoder(1, width, normalised) if line_branch else None
        self.matching: ReferenceMatching | None = None
        if sim_enabled:
            masks = {"mask_channels": mask_channels} if correspondence == "distance" else {}
            self.matching = ReferenceMatching(width, normalised, correspondence, **masks)
        self.embedder = Embedder(width, blocks) if embedder_enabled else None
        self.middle = nn.ModuleList(AdaINResidualBlock(features) for _ in range(blocks))
        inner: dict[str, Any] = {"norm": "instance", "activation": "relu", "spectral": normalised}
        self.decoder = nn.Sequential(
            ConvNormAct(features, features, padding_mode="reflect", **inner),
            ResizeConvUp(features, 2 * width, padding_mode="reflect", **inner),
            ResizeConvUp(2 * width, width, padding_mode="reflect", **inner),
            ConvNormAct(
                width, 3, 7, padding_mode="reflect", activation="tanh", spectral=normalised
            ),
        )
        self.latent_similarity = (
            ConvNormAct(features, 3, padding_mode="reflect", activation="tanh")
            if sim_enabled
            else None
        )
        self.latent_middle = ConvNormAct(features, 3, padding_mode="reflect", activation="tanh")
        if sn_scope == "all":
            for module in self.modules():
                plain = not parametrize.is_parametrized(module)
                if isinstance(module, (nn.Conv2d, nn.Linear)) and plain:
                    spectral_norm(module)

    def encode_references(
        self, reference_line: Tensor, reference_distance: Tensor, reference_color: Tensor
    ) -> TransformReferences:
        """What K references contribute: lines and distance fields (B,K,1,H,W), colours (B,K,3,H,W).

        All in [-1,1]. Once per shot; an answer of B=1 serves any batch of frames of this size.
        """
        line, distance, color = (
            pad_to_multiple(each, STRIDE, SMALLEST)
            for each in (reference_line, reference_distance, reference_color)
        )
        matches = None
        if self.matching is not None:
            matches = self.matching.encode_references(self._seen(line, distance), color)
        style = None if self.embedder is None else self.embedder(line, color)
        return TransformReferences(matches, style)

    def forward_with(
        self, line: Tensor, distance: Tensor, references: TransformReferences
    ) -> TransformOutput:
        """Colour a frame by the answer of `encode_references`.

        ``line`` and ``distance`` (B,1,H,W) in [-1,1]; without the distance branch ``distance``
        is not looked at.
        """
        height, width = line.shape[-2:]
        line, distance = (pad_to_multiple(each, STRIDE, SMALLEST) for each in (line, distance))
        similar: Tensor | None = None
        if self.matching is not None and references.matches is not None:
            similar = self.matching.attend(self._seen(line, distance), references.matches)
        x = similar
        if self.line_encoder is not None:
            structure = self.line_encoder(line)
            x = structure if similar is None else structure + similar
        for index, block in enumerate(self.middle):
            x = block(x, None if references.style is None else references.style[:, index])
        main = crop_to(self.decoder(x), height, width)
        if not self.training:
            return TransformOutput(main)
        latent = None if self.latent_similarity is None else self.latent_similarity(similar)
        return TransformOutput(main, latent, self.latent_middle(x))

    def training_heads(self) -> list[str]:
        """Names of the children that only training needs."""
        return ["latent_similarity", "latent_middle"]

    def _seen(self, line: Tensor, distance: Tensor) -> Tensor:
        return distance if self.matching_input == "distance" else line

    def forward(
        self,
        line: Tensor,
        distance: Tensor,
        reference_line: Tensor,
        reference_distance: Tensor,
        reference_color: Tensor,
    ) -> TransformOutput:
        """Colour ``line`` (B,1,H,W) like references (B,K,1 or 3,H,W), all in [-1,1]."""
        # encoders serve several inputs: one power iteration and one weight per forward
        with parametrize.cached():
            references = self.encode_references(reference_line, reference_distance, reference_color)
            return self.forward_with(line, distance, references)

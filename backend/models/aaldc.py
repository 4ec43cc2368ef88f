"""AALDC: colours a line drawing like a coloured reference (Cao, Tian and Mok, ICME 2023)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from backend.models.attention import CBAM, MultiScaleAttention, SqueezeExcitation
from backend.models.correspondence import (
    CORRESPONDENCES,
    Correspondence,
    References,
    SpatialCorrespondenceTransfer,
    make_correspondence,
)
from backend.models.layers import (
    ConvNormAct,
    ResidualBlock,
    choose,
    crop_to,
    pad_to_multiple,
    resize,
)

ENCODER_ATTENTIONS = ("cbam", "none", "se", "smsa")
STRIDE = 16  # of the deepest features


@dataclass(frozen=True)
class ColorizerOutput:
    """``main`` (B,3,H,W) sRGB in [-1,1].

    ``query`` (B,N,d) and ``key`` (B,M,d): the projected tokens of line and reference on the H/16
    grid, row by row, for the triplet loss; only of scft and only in training.
    """

    main: Tensor
    query: Tensor | None = None
    key: Tensor | None = None


class FeatureEncoder(nn.Module):
    """Ten convolutions, every second stage at half the size (section 2.1 of the specification).

    Each is convolution, attention, normalisation, LeakyReLU 0.2. ``attention`` is cbam, se,
    smsa or none; the options of `CBAM` are those of `AnimeReferenceColorizer`.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        norm: str = "batch",
        attention: str = "cbam",
        cbam_mlp_bias: bool = False,
        cbam_spatial_norm: bool = False,
    ) -> None:
        super().__init__()
        choose("encoder_attention", attention, ENCODER_ATTENTIONS)
        self.channels = [width * 2 ** (index // 2) for index in range(10)]
        self.stages = nn.ModuleList()
        previous = in_channels
        for index, channels in enumerate(self.channels):
            gate: nn.Module | None = None
            if attention == "cbam":
                gate = CBAM(channels, mlp_bias=cbam_mlp_bias, spatial_norm=cbam_spatial_norm)
            elif attention == "se":
                gate = SqueezeExcitation(channels)
            elif attention == "smsa":
                gate = MultiScaleAttention(channels)
            self.stages.append(
                ConvNormAct(
                    previous,
                    channels,
                    stride=2 if index % 2 == 0 and index > 0 else 1,
                    norm=norm,
                    activation="leaky_relu",
                    attention=gate,
                )
            )
            previous = channels

    def forward(self, x: Tensor) -> list[Tensor]:
        """The ten feature maps of ``x`` (B,C,H,W), sides divisible by 16, from fine to coarse."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


def gather(features: list[Tensor]) -> Tensor:
    """Feature dimension transformation: all maps averaged down to the coarsest grid, joined."""
    height = features[-1].shape[-2]
    factors = (feature.shape[-2] // height for feature in features)
    pooled = [
        functional.avg_pool2d(feature, factor) if factor > 1 else feature
        for feature, factor in zip(features, factors, strict=True)
    ]
    return torch.cat(pooled, 1)


class SkipDecoder(nn.Module):
    """U-Net decoder (section 2.5): two convolutions per size, each after a skip but the first."""

    def __init__(self, in_channels: int, encoder_channels: list[int]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        previous = in_channels
        skips = [0, *reversed(encoder_channels[:9])]
        for skip, channels in zip(skips, reversed(encoder_channels), strict=True):
            # the first block of a size takes its number of channels from the skip of that size
            self.blocks.append(
                ConvNormAct(previous + skip, channels, norm="batch", activation="leaky_relu")
            )
            previous = channels
        self.head = nn.Conv2d(previous, 3, 1)

    def forward(self, x: Tensor, features: list[Tensor]) -> Tensor:
        x = self.blocks[0](x)
        for block, feature in zip(self.blocks[1:], reversed(features[:9]), strict=True):
            if feature.shape[-2:] != x.shape[-2:]:
                x = resize(x, 2, "bilinear_corners")
            x = block(torch.cat((x, feature), 1))
        return torch.tanh(self.head(x))


class AnimeReferenceColorizer(nn.Module):
    """The generator, with every row of Table I as options.

    - ours: the defaults; "Li et al. (SGA)": ``encoder_attention="none"``;
    - "Lee et al. (SCFT)": ``correspondence="scft", encoder_attention="none",
      encoder_norm="none"``; "+ CA": ``correspondence="scft"``.

    ``width``: channels of the first encoder layer (16 in the paper; features have 62 times as
    many). ``correspondence``: sga, scft or distance. ``encoder_attention``: cbam, se, smsa or
    none. ``encoder_norm``: a name of `make_norm`. ``sga_self``: the second unit, of the fused
    features with themselves. ``sga_column_norm``, ``sga_stop_gradient``: see
    `StopGradientAttention`. ``blocks``: residual blocks. ``line_channels`` above 1 makes room
    for more than the drawing, such as its distance field.
    Raises ``ValueError`` for an option it does not know.
    """

    def __init__(
        self,
        *,
        width: int = 16,
        correspondence: str = "sga",
        encoder_attention: str = "cbam",
        encoder_norm: str = "batch",
        sga_self: bool = True,
        sga_column_norm: bool = True,
        sga_stop_gradient: bool = True,
        cbam_mlp_bias: bool = False,
        cbam_spatial_norm: bool = False,
        blocks: int = 4,
        line_channels: int = 1,
        reference_channels: int = 3,
    ) -> None:
        super().__init__()
        self.options = {
            "width": width,
            "correspondence": choose("correspondence", correspondence, CORRESPONDENCES),
            "encoder_attention": encoder_attention,
            "encoder_norm": encoder_norm,
            "sga_self": sga_self,
            "sga_column_norm": sga_column_norm,
            "sga_stop_gradient": sga_stop_gradient,
            "cbam_mlp_bias": cbam_mlp_bias,
            "cbam_spatial_norm": cbam_spatial_norm,
            "blocks": blocks,
            "line_channels": line_channels,
            "reference_channels": reference_channels,
        }
        self.line_encoder, self.reference_encoder = (
            FeatureEncoder(
                channels,
                width,
                norm=encoder_norm,
                attention=encoder_attention,
                cbam_mlp_bias=cbam_mlp_bias,
                cbam_spatial_norm=cbam_spatial_norm,
            )
            for channels in (line_channels, reference_channels)
        )
        features = sum(self.line_encoder.channels)
        sga_options = {"column_norm": sga_column_norm, "stop_gradient": sga_stop_gradient}
        options = sga_options if correspondence == "sga" else {}
        self.cross = make_correspondence(correspondence, features, **options)
        self.own: Correspondence | None = None
        if correspondence == "sga" and sga_self:
            self.own = make_correspondence(correspondence, features, **options)
        self.residual = nn.Sequential(*(ResidualBlock(features) for _ in range(blocks)))
        self.decoder = SkipDecoder(2 * features, self.line_encoder.channels)

    def encode_references(self, reference: Tensor) -> References:
        """What one reference (B,3,h,w), or K of them (B,K,3,h,w), contribute; sRGB in [-1,1].

        Reusable for any number of drawings, and with B=1 for a whole batch of them.
        """
        stack = reference if reference.dim() == 5 else reference.unsqueeze(1)
        batch, count = stack.shape[:2]
        features = self.reference_encoder(pad_to_multiple(stack.flatten(0, 1), STRIDE))
        maps = gather(features).unflatten(0, (batch, count)).unbind(1)
        return self.cross.encode_references(maps, maps)

    def forward_with(self, line: Tensor, references: References) -> ColorizerOutput:
        """Colour ``line`` (B,1,H,W), [-1,1], paper 1, by the answer of `encode_references`."""
        height, width = line.shape[-2:]
        features = self.line_encoder(pad_to_multiple(line, STRIDE))
        gathered = gather(features)
        fused = self.cross.attend(gathered, references)
        if self.own is not None:
            fused = self.own(fused, [fused], [fused])
        main = self.decoder(torch.cat((fused, self.residual(fused)), 1), features)
        main = crop_to(main, height, width)
        if self.training and isinstance(self.cross, SpatialCorrespondenceTransfer):
            return ColorizerOutput(main, self.cross.project_query(gathered), references.keys)
        return ColorizerOutput(main)

    def forward(self, line: Tensor, reference: Tensor) -> ColorizerOutput:
        """Colour ``line`` (B,1,H,W) like ``reference`` (B,3,h,w) or (B,K,3,h,w), all in [-1,1]."""
        return self.forward_with(line, self.encode_references(reference))

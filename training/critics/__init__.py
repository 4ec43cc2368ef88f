"""The critics of the five papers. Each returns a list of logits for the losses to go through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from training.critics.page import AlacGANDiscriminator, GlobalDiscriminator
from training.critics.patch import MultiScaleDiscriminator, PatchDiscriminator
from training.critics.temporal import TemporalPatchDiscriminator
from training.errors import TrainingError

__all__ = [
    "CRITICS", "CRITIC_FORMS", "AlacGANDiscriminator", "GlobalDiscriminator",
    "MultiScaleDiscriminator", "PatchDiscriminator", "TemporalPatchDiscriminator",
    "aaldc_critic", "build_critic", "ibn_critic", "named_critic", "video_critic",
]  # fmt: skip

_PATCH_STRIDES = {70: 1, 94: 2}


def aaldc_critic(*, width: int = 16) -> PatchDiscriminator:
    """On cat(colour, line), 94 px patches; aaldc section 3."""
    return PatchDiscriminator(
        in_channels=4, width=width, last_stride=2, norm="batch", norm_first=True, bias=False,
        spectral="inner", final_padding=0,
    )  # fmt: skip


def ibn_critic(
    *,
    width: int = 64,
    norm: str = "ibn",
    spectral: bool = True,
    patch: int = 70,
    critics: int = 1,
    pool: str = "avg2",
    ibn_mode: str = "replace",
    in_scope: str = "channel",
) -> MultiScaleDiscriminator:
    """On cat(L, ab), at ``critics`` scales; ibn_gan section 3.

    Raises ValueError for a patch other than 70 and 94 pixels, or another wrong option.
    """
    if patch not in _PATCH_STRIDES:
        raise ValueError(f"patch={patch} is unknown: use 70 or 94")
    return MultiScaleDiscriminator(
        critics=critics, pool=pool, in_channels=3, width=width, last_stride=_PATCH_STRIDES[patch],
        norm=norm, ibn_mode=ibn_mode, in_scope=in_scope, spectral="all" if spectral else "none",
        padding="same", keras=True,
    )  # fmt: skip


def video_critic(*, width: int = 64) -> PatchDiscriminator:
    """On cat(line, colour), 70 px patches; video section 2.7."""
    return PatchDiscriminator(in_channels=4, width=width)


CRITICS: dict[str, Callable[..., nn.Module]] = {
    "patch": PatchDiscriminator,
    "multiscale": MultiScaleDiscriminator,
    "temporal": TemporalPatchDiscriminator,
    "global": GlobalDiscriminator,
    "alacgan": AlacGANDiscriminator,
}
"""Every class of critic, by kind."""

CRITIC_FORMS: dict[str, Callable[..., nn.Module]] = {
    "aaldc": aaldc_critic,
    "ibn_gan": ibn_critic,
    "video": video_critic,
    "video_temporal": TemporalPatchDiscriminator,
    "manga": GlobalDiscriminator,
    "alacgan": AlacGANDiscriminator,
}
"""The critics as the papers' tables have them."""


def build_critic(kind: str, options: Mapping[str, Any]) -> nn.Module:
    """A critic of `CRITICS` by its kind. Raises TrainingError for a wrong kind or option."""
    return _made(CRITICS, kind, options)


def named_critic(form: str, options: Mapping[str, Any]) -> nn.Module:
    """A critic of `CRITIC_FORMS`. Raises TrainingError for a wrong form or option."""
    return _made(CRITIC_FORMS, form, options)


def _made(
    table: Mapping[str, Callable[..., nn.Module]], name: str, options: Mapping[str, Any]
) -> nn.Module:
    if name not in table:
        raise TrainingError(f"no critic is called {name!r}", f"use one of {', '.join(table)}")
    try:
        return table[name](**options)
    except (TypeError, ValueError) as error:
        raise TrainingError(f"critic {name}: {error}", "correct the critic's options") from error

"""The colour chooser: probabilities, padding, and what is known counts."""

from __future__ import annotations

import pytest
import torch

from backend.models.choosing import ColorChooser


@pytest.fixture(scope="module")
def chooser() -> ColorChooser:
    torch.manual_seed(0)
    return ColorChooser(dim=16, width=8, heads=2, layers=2, colors=5).eval()


def regions(count: int, padded: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    tokens = torch.rand(1, count, 16, generator=rng)
    color = torch.zeros(1, count + padded, 4)
    tokens = torch.cat([tokens, torch.full((1, padded, 16), 9.0)], 1)
    return tokens, color, torch.arange(count + padded)[None] < count


def test_probabilities_of_colours(chooser):
    with torch.inference_mode():
        odds = chooser(*regions(7))
    assert odds.shape == (1, 7, 5)
    assert torch.allclose(odds.exp().sum(-1), torch.ones(1, 7), atol=1e-5)


def test_padding_changes_nothing(chooser):
    with torch.inference_mode():
        alone, padded = chooser(*regions(7)), chooser(*regions(7, 4))
    assert torch.allclose(alone, padded[:, :7], atol=1e-5)


def test_a_known_colour_speaks_to_the_other_regions(chooser):
    tokens, color, valid = regions(4)
    told = color.clone()
    told[0, 0] = torch.tensor([0.5, 0.4, 0.2, 1.0])
    with torch.inference_mode():
        apart = (chooser(tokens, told, valid) - chooser(tokens, color, valid)).abs().amax(-1)[0]
    assert (apart > 1e-4).all()


def test_the_palette_travels_with_the_weights(chooser):
    assert chooser.state_dict()["palette"].shape == (5, 3)

"""The region matcher: shapes, probabilities, padding, order."""

from __future__ import annotations

import pytest
import torch

from backend.models.matching import Drawing, RegionMatcher


@pytest.fixture(scope="module")
def matcher() -> RegionMatcher:
    torch.manual_seed(0)
    return RegionMatcher(width=4, dim=16, heads=2, layers=2).eval()


def drawing(count: int, seed: int, padded: int = 0) -> Drawing:
    rng = torch.Generator().manual_seed(seed)
    picture = torch.rand(1, 5, 64, 64, generator=rng)
    label = torch.randint(0, count + 1, (1, 32, 32), generator=rng)
    facts = torch.rand(1, count, 12, generator=rng)
    point = torch.rand(1, count, 2, generator=rng) * 2 - 1
    color = torch.rand(1, count, 4, generator=rng)

    def more(values: torch.Tensor) -> torch.Tensor:
        return torch.cat([values, torch.full((1, padded, values.shape[-1]), 9.0)], 1)

    valid = torch.arange(count + padded)[None] < count
    return Drawing(picture, label, more(facts), more(point).clamp(-1, 1), more(color), valid)


def test_probabilities_over_source_regions_and_none(matcher):
    with torch.inference_mode():
        output = matcher(drawing(7, 0), drawing(5, 1))
    assert output.regions.shape == (1, 7, 6)
    assert torch.allclose(output.regions.exp().sum(-1), torch.ones(1, 7), atol=1e-5)


def test_padding_changes_nothing(matcher):
    with torch.inference_mode():
        bare = matcher(drawing(7, 0), drawing(5, 1)).regions
        full = matcher(drawing(7, 0, padded=3), drawing(5, 1, padded=4)).regions
    assert torch.allclose(bare[..., :5], full[:, :7, :5], atol=1e-5)
    assert torch.allclose(bare[..., 5], full[:, :7, 9], atol=1e-5)
    assert full[..., 5:9].exp().max() < 1e-6


def test_the_order_of_source_regions_does_not_matter(matcher):
    source = drawing(5, 1)
    order = torch.tensor([3, 1, 4, 0, 2])
    moved = torch.argsort(order) + 1
    label = torch.cat([torch.zeros(1, dtype=torch.long), moved])[source.label]
    turned = Drawing(
        source.picture,
        label,
        *(getattr(source, name)[:, order] for name in ("facts", "point", "color", "valid")),
    )
    with torch.inference_mode():
        one = matcher(drawing(7, 0), source).regions
        other = matcher(drawing(7, 0), turned).regions
    assert torch.allclose(one[..., order], other[..., :5], atol=1e-5)


def test_pixels_are_matched_as_regions_are(matcher):
    target, source = drawing(7, 0), drawing(5, 1)
    with torch.inference_mode():
        seen = matcher.features(target)
        output = matcher.match(seen, matcher.features(source))
        pixels = seen.pixels.flatten(2).transpose(1, 2)[:, :10]
        owner = torch.zeros(1, 10, dtype=torch.long)
        matches = matcher.pixel_matches(pixels, owner, output)
    assert matches.shape == (1, 10, 6)
    assert torch.allclose(matches.exp().sum(-1), torch.ones(1, 10), atol=1e-5)


def test_a_source_without_any_region_gives_finite_numbers(matcher):
    empty = drawing(1, 2)
    empty = Drawing(
        *(getattr(empty, n) for n in ("picture", "label", "facts", "point", "color")),
        valid=torch.zeros(1, 1, dtype=torch.bool),
    )
    with torch.inference_mode():
        assert torch.isfinite(matcher(drawing(3, 0), empty).regions).all()

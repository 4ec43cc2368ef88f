from __future__ import annotations

import pytest
import torch

from backend.models.video_scft import ShotReferenceColorizer
from tests.backend.models.counting import parameters_of


def shot(count=1, height=32, width=40):
    torch.manual_seed(0)
    line, distance = torch.rand(2, 1, height, width), torch.rand(2, 1, height, width)
    references = torch.rand(2, count, 1, height, width)
    return line, distance, references, references, torch.rand(2, count, 3, height, width)


def test_parameters_equal_those_of_scft():
    assert parameters_of(ShotReferenceColorizer) == 82_913_907


@pytest.mark.parametrize("count", [1, 2])
def test_references_that_are_kept_give_the_same_colours(count):
    model = ShotReferenceColorizer(width=4, blocks=1).eval()
    line, distance, *references = shot(count)
    with torch.inference_mode():
        whole = model(line, distance, *references)
        kept = model.encode_references(*references)
        again = model.forward_with(line, distance, kept)
    assert whole.main.shape == (2, 3, 32, 40)
    assert whole.latent_similarity is None and whole.latent_middle is None
    assert torch.equal(whole.main, again.main)


def test_colours_follow_the_reference_and_not_its_lines():
    model = ShotReferenceColorizer(width=4, blocks=1).eval()
    line, distance, lines, distances, colors = shot()
    with torch.inference_mode():
        main = model(line, distance, lines, distances, colors).main
        assert torch.equal(model(line, 1 - distance, 1 - lines, 1 - distances, colors).main, main)
        assert not torch.equal(model(line, distance, lines, distances, 1 - colors).main, main)

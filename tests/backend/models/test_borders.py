"""The border finder: sizes, and the same function in its form for inference."""

from __future__ import annotations

import pytest
import torch

from backend.models.borders import BorderFinder
from backend.models.folding import inference_form


@pytest.mark.parametrize("size", [(64, 64), (33, 70), (1, 1)])
def test_a_logit_and_an_embedding_for_every_pixel(size):
    network = BorderFinder(width=4).eval()
    with torch.inference_mode():
        found = network(torch.rand(2, 5, *size))
    assert found.main.shape == (2, 1, *size)
    assert found.embedding.shape == (2, 8, *(-(-side // 2) for side in size))


def test_folded_norms_change_nothing():
    torch.manual_seed(0)
    network = BorderFinder(width=4)
    for _ in range(3):
        network(torch.rand(2, 5, 64, 64))  # so that the running statistics are not trivial
    network.eval()
    drawing = torch.rand(1, 5, 64, 64)
    with torch.inference_mode():
        one, other = network(drawing), inference_form(network)(drawing)
    assert (one.main - other.main).abs().max() < 1e-4
    assert (one.embedding - other.embedding).abs().max() < 1e-4

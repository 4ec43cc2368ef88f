"""The border finder: sizes, and the same function in its form for inference."""

from __future__ import annotations

import pytest
import torch

from backend.models.borders import BorderFinder
from backend.models.folding import inference_form


@pytest.mark.parametrize("size", [(64, 64), (33, 70), (1, 1)])
def test_a_logit_for_every_pixel(size):
    network = BorderFinder(width=4).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 5, *size)).main.shape == (2, 1, *size)


def test_folded_norms_change_nothing():
    torch.manual_seed(0)
    network = BorderFinder(width=4)
    for _ in range(3):
        network(torch.rand(2, 5, 64, 64))  # so that the running statistics are not trivial
    network.eval()
    drawing = torch.rand(1, 5, 64, 64)
    with torch.inference_mode():
        one, other = network(drawing).main, inference_form(network)(drawing).main
    assert (one - other).abs().max() < 1e-4

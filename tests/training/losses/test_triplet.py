"""The correspondence triplet and the cells it calls positive."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from training.losses import CorrespondenceTriplet, positive_cells


def identity(height: int, width: int) -> torch.Tensor:
    grid = functional.affine_grid(torch.eye(2, 3)[None], [1, 3, height, width], align_corners=False)
    return grid.permute(0, 3, 1, 2)


def test_without_a_warp_every_cell_is_its_own_positive() -> None:
    cells = positive_cells(identity(32, 48), (4, 6))
    assert cells.tolist() == [list(range(24))]


def test_a_shift_moves_the_positive_and_leaves_the_border_without_one() -> None:
    shifted = identity(32, 32)
    shifted[:, 0] += 2 * 2 / 4  # the reference shows the target two cells further right
    cells = positive_cells(shifted, (4, 4)).view(4, 4)
    assert cells.tolist() == [[-1, 4 * y, 4 * y, 4 * y + 1] for y in range(4)]


def test_tps_mode_is_the_mean_over_queries_with_a_positive(monkeypatch) -> None:
    query, key = torch.randn(2, 2, 6, 8)
    positives = torch.tensor([[0, 1, 2, 3, 4, 5], [3, -1, -1, 0, 0, 0]])
    steps = torch.full_like(positives, 2)
    monkeypatch.setattr(torch, "randint_like", lambda *_a: steps)
    expected = []
    for b in range(2):
        for i in range(6):
            j = int(positives[b, i])
            if j >= 0:
                similar = query[b, i] @ key[b, j] / 8**0.5
                other = query[b, i] @ key[b, (j + 2) % 6] / 8**0.5
                expected.append(max(0.0, float(-similar + other + 12)))
    loss = CorrespondenceTriplet()(query, key, positives)
    assert float(loss) == pytest.approx(sum(expected) / 10, rel=1e-5)


def test_the_negative_is_never_the_positive() -> None:
    key = 100 * torch.eye(4)[None]
    query = key.clone()
    positives = torch.arange(4)[None]
    for _ in range(20):
        assert CorrespondenceTriplet()(query, key, positives) == 0


def test_no_positive_at_all_is_zero() -> None:
    query = torch.rand(1, 4, 8, requires_grad=True)
    loss = CorrespondenceTriplet()(query, query, torch.full((1, 4), -1))
    loss.backward()
    assert loss == 0


def test_released_mode() -> None:
    query, key, values = torch.randn(3, 2, 5, 4)
    expected = torch.stack([
        (query[b, i] @ key[b, j] / 2 - query[b, i] @ values[b, j] / 2 + 12).clamp(min=0)
        for b in range(2) for i in range(5) for j in range(5)
    ]).mean()  # fmt: skip
    loss = CorrespondenceTriplet("released")(query, key, values=values)
    torch.testing.assert_close(loss, expected)


def test_none_and_wrong_uses() -> None:
    query = torch.rand(1, 4, 8)
    assert CorrespondenceTriplet("none")(query, query) == 0
    with pytest.raises(ValueError, match="positive cells"):
        CorrespondenceTriplet()(query, query)
    with pytest.raises(ValueError, match="values"):
        CorrespondenceTriplet("released")(query, query)
    with pytest.raises(ValueError, match="'hard'"):
        CorrespondenceTriplet("hard")

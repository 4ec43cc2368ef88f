"""Areas shared by random walks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from backend.regions import graph, walk
from backend.regions.borders import Borders
from backend.regions.walk import share_by_walks

SIDE = 96
TINTS = np.array([0, 1, 2, 2], np.int32)  # of the seeds: two of the second colour


def places(*spots: tuple[int, int, int], radius: int = 1) -> np.ndarray:
    """(SIDE, SIDE) int32 seeds, each as id, x, y."""
    seeds = np.zeros((SIDE, SIDE), np.int32)
    for number, x, y in spots:
        cv2.circle(seeds, (x, y), radius, number, -1)
    return seeds


def told(likely: np.ndarray, embedding: np.ndarray | None = None) -> Borders:
    """What a network might say; without an embedding all is alike."""
    if embedding is None:
        embedding = np.zeros((*likely.shape, 1), np.float32)
    return Borders(likely, embedding, np.ones(likely.shape, bool))


def share(
    seeds: np.ndarray, likely: np.ndarray | None = None, area: np.ndarray | None = None
) -> np.ndarray:
    """Shares of an even area of SIDE x SIDE, or of these areas."""
    likely = np.zeros(seeds.shape, np.float32) if likely is None else likely
    area = np.ones(seeds.shape, np.int32) if area is None else area
    even = np.ones(seeds.shape, np.float32)
    return share_by_walks(seeds, TINTS, area, even, told(likely), np.zeros((4, 1), np.float32))


def test_a_border_between_two_hints_is_kept_though_it_is_weak_in_one_place():
    likely = np.zeros((SIDE, SIDE), np.float32)
    likely[:, 30:33] = 0.9
    likely[44:50, 30:33] = 0.02  # where a shortest path slips through
    shared = share(places((1, 10, 47), (2, 80, 20)), likely)
    assert (shared[:, :29] == 1).all()
    assert (shared[:, 45:] == 2).mean() > 0.99  # a path from 10, 47 is shorter up to 60


def test_it_is_what_all_pixels_together_give(monkeypatch):
    rng = np.random.default_rng(3)
    likely = cv2.GaussianBlur(rng.random((SIDE, SIDE)).astype(np.float32), (0, 0), 2) ** 6
    seeds = places((1, 20, 30), (2, 70, 60), (3, 40, 85))
    ways, known = on_pixels(1 + walk.OVER_BORDER * likely.astype(float) ** walk.CERTAINTY, seeds)
    pull = walk.PRIOR / SIDE**2
    total = np.asarray(ways.sum(1)).ravel() + pull
    free = known < 0
    wanted = ways[free][:, ~free] @ (known[~free] == 1) + pull / 2  # all is alike to both
    found = known.astype(float)
    system = (sparse.diags(total) - ways)[free][:, free].tocsc()
    found[free] = spsolve(system, wanted)
    sure = np.abs(found - 0.5).reshape(SIDE, SIDE) > 0.01
    exact = np.where(found > 0.5, 2, 1).reshape(SIDE, SIDE)
    monkeypatch.setattr(walk, "_without_islands", lambda shared, area, seeds: shared)
    assert sure.mean() > 0.7
    assert (share(seeds, likely)[sure] == exact[sure]).mean() > 0.995


def on_pixels(resistance: np.ndarray, seeds: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """How well walks get from each pixel to each neighbour, and what seeds say: 0, 1 or -1."""
    number = np.arange(resistance.size).reshape(resistance.shape)
    one = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    other = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    flat = resistance.ravel()
    weight = 2 / (flat[one] + flat[other])
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    shape = resistance.size, resistance.size
    ways = sparse.csr_matrix((np.tile(weight, 2), (rows, columns)), shape)
    return ways, np.where(seeds > 0, TINTS[seeds] - 1, -1).ravel()


def test_areas_keep_to_themselves():
    area = np.ones((SIDE, SIDE), np.int32)
    area[:, 40:42] = 0
    area[:, 42:] = 5
    seeds = places((1, 20, 20), (2, 20, 70), (1, 60, 20), (3, 60, 70))
    shared = share(seeds, area=area)
    assert not shared[:, 40:42].any()
    for part in (shared[:, :40], shared[:, 42:]):
        assert (part[:40] == 1).all() and (part[52:] == 2).all()


def test_what_is_cut_off_from_its_hint_follows_what_is_beside_it():
    likely = np.zeros((SIDE, SIDE), np.float32)
    embedding = np.zeros((SIDE, SIDE, 1), np.float32)
    embedding[30:60, 50:80] = 4.0  # like the second colour, whose hint is elsewhere
    of_seed = np.array([[0.0], [0.0], [4.0], [4.0]], np.float32)
    seeds = places((1, 30, 45), (2, 8, 90))
    even, area = np.ones((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.int32)
    shared = share_by_walks(seeds, TINTS, area, even, told(likely, embedding), of_seed)
    assert (shared[:60] == 1).all() and shared[90, 8] == 2


def test_a_drawing_twice_as_large_has_the_same_shares():
    likely = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(likely, (60, 50), 20, 0.6, 2)
    seeds = places((1, 12, 12), (2, 60, 50), radius=2)
    small = share(seeds, likely)

    def larger(of: np.ndarray) -> np.ndarray:
        return np.kron(of, np.ones((2, 2), of.dtype))

    area = np.ones((2 * SIDE, 2 * SIDE), np.int32)
    large = share(larger(seeds), larger(likely), area)
    assert (larger(small) == large).mean() > 0.97


def test_no_area_has_no_shares():
    seeds = places((1, 20, 20))
    assert not share(seeds, area=np.zeros_like(seeds)).any()


def test_too_many_colours_are_left_to_others(monkeypatch):
    monkeypatch.setattr(walk, "MOST_VALUES", 100)
    assert not share(places((1, 20, 20), (2, 70, 70))).any()


@pytest.mark.parametrize("most", [10**6, 300])
def test_few_nodes_serve_as_well(monkeypatch, most):
    likely = np.full((SIDE, SIDE), 0.05, np.float32)
    likely[:, 46:50] = 1.0
    monkeypatch.setattr(graph, "MOST_NODES", most)
    shared = share(places((1, 20, 20), (2, 70, 70)), likely)
    assert (shared[:, :46] == 1).all() and (shared[:, 50:] == 2).all()

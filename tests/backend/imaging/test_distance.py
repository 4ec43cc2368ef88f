"""Distance fields are exact, scaled as asked, and finite for empty and full masks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from backend.imaging.distance import distance_field, euclidean


@pytest.fixture
def ink() -> np.ndarray:
    return np.random.default_rng(0).random((90, 130)) > 0.995


def test_distance_is_the_exact_euclidean(ink: np.ndarray) -> None:
    assert np.abs(euclidean(~ink) - distance_transform_edt(~ink)).max() < 1e-3


def test_distance_is_the_same_to_the_bit(ink: np.ndarray) -> None:
    first = euclidean(~ink)
    kept = [np.zeros(17 * n + 1, np.uint8) for n in range(30)]  # other places in memory
    assert len(kept) == 30 and all((euclidean(~ink.copy()) == first).all() for _ in range(30))
    assert (first == np.sqrt(np.rint(first.astype(np.float64) ** 2)).astype(np.float32)).all()


def test_max_norm_runs_from_ink_to_the_farthest(ink: np.ndarray) -> None:
    field = distance_field(ink)
    assert (field[ink] == 0).all() and field.max() == 1


def test_fixed_norm_does_not_depend_on_the_rest() -> None:
    ink = np.zeros((10, 300), bool)
    ink[:, 0] = True
    field = distance_field(ink, norm="fixed", limit=64)
    assert field[0, 32] == pytest.approx(0.5) and field[0, 200] == 1


def test_signed_field_spans_zero_to_one() -> None:
    ink = np.zeros((60, 60), bool)
    ink[20:40, 20:40] = True
    field = distance_field(ink, signed=True, norm="minmax")
    expected = distance_transform_edt(~ink) - distance_transform_edt(ink)
    expected = (expected - expected.min()) / np.ptp(expected)
    assert np.abs(field - expected).max() < 1e-4
    assert field[30, 30] < 0.1 and field[0, 0] == 1


@pytest.mark.parametrize(("signed", "norm"), [(False, "max"), (False, "fixed"), (True, "minmax")])
def test_empty_and_full_masks(signed: bool, norm) -> None:  # type: ignore[no-untyped-def]
    assert (distance_field(np.zeros((5, 5), bool), signed=signed, norm=norm) == 1).all()
    assert (distance_field(np.ones((5, 5), bool), signed=signed, norm=norm) == 0).all()


def test_wrong_norms_are_refused(ink: np.ndarray) -> None:
    with pytest.raises(ValueError, match="norm 'frame'"):
        distance_field(ink, norm="frame")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="signed=True"):
        distance_field(ink, signed=True)

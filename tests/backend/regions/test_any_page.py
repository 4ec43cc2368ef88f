"""Random pages of odd sizes and formats: never a crash, never a colour that nobody painted."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.tasks.flats import colour_flats
from protocol.errors import ErrorCode, NuriError
from tests.backend.regions import scenes
from tests.backend.regions.scenes import BLUE, RED

DTYPES = (np.uint8, np.uint16, np.float32)


@st.composite
def pages(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Random lines of any form with random sparse hints of any form."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    depth = draw(st.sampled_from([None, 1, 2, 3, 4]))
    line = random.random((height, width, depth or 1)) > draw(st.sampled_from([0.02, 0.3, 0.9]))
    line = line * random.choice([1.0, 0.9, 0.6], line.shape)
    line = line[..., 0] if depth is None else line
    hints = random.random((height, width, draw(st.sampled_from([2, 4, 5]))))
    hints = np.round(hints * 3) / 3
    painted = random.random((height, width)) < draw(st.sampled_from([0.0, 0.01, 0.2, 1.0]))
    hints[~painted] = 0
    as_line, as_hints = draw(st.sampled_from(DTYPES)), draw(st.sampled_from(DTYPES))
    return in_range(line, as_line), in_range(hints, as_hints)


def in_range(pixels: np.ndarray, dtype: type) -> np.ndarray:
    peak = 1 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    return np.rint(pixels * peak).astype(dtype) if peak > 1 else pixels.astype(dtype)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(page=pages(), fill=st.booleans())
def test_any_page_gives_hint_colours_or_a_clear_refusal(page, fill):
    line, hints = page
    try:
        result = colour_flats(line, hints, fill_unhinted=fill)
    except NuriError as error:
        assert error.info.code is ErrorCode.bad_input
        return
    assert result.flats.shape == hints.shape and result.flats.dtype == hints.dtype
    full = 1 if hints.dtype.kind == "f" else np.iinfo(hints.dtype).max
    allowed = {row.tobytes()[: -hints.itemsize] for row in hints[hints[..., -1] > 0]}
    coloured = result.flats[..., -1] > 0
    assert (result.flats[coloured][:, -1] == full).all()
    assert not result.flats[~coloured].any()
    found = np.unique(result.flats[coloured].reshape(-1, hints.shape[2]), axis=0)
    assert {row.tobytes()[: -hints.itemsize] for row in found} <= allowed
    assert result.regions.max(initial=0) == len(result.region_palette) - 1


def test_a_page_of_noise_comes_to_an_end():
    """Thousands of loose ends and tiny regions; that it returns at all is what counts."""
    size = 1500
    line = np.random.default_rng(9).integers(0, 256, (size, size), np.uint8)
    hints = scenes.dots(size, "nw se")
    result = colour_flats(line, hints)
    assert {tuple(row) for row in result.palette.tolist()} == {RED, scenes.OCHRE}
    found = result.flats[result.flats[..., 3] > 0]
    assert len(np.unique(found, axis=0)) <= 2


def test_a_page_of_scribbles_comes_to_an_end():
    size = 1024
    random = np.random.default_rng(10)
    line = np.full((size, size), 255, np.uint8)
    for start in random.random((2500, 2)):
        way = random.normal(0, 0.01, (4, 2)).cumsum(axis=0)
        scenes.ink(line, *map(tuple, start + way), width=0.002)
    result = colour_flats(line, scenes.dots(size, "ne sw"))
    assert scenes.at(result.flats, scenes.CENTRES["sw"]) in (BLUE, (0, 0, 0, 0))
    assert set(np.unique(result.flats[..., 3])) <= {0, 255}


def test_a_page_of_speckled_hints_comes_to_an_end():
    """Tens of thousands of marks in the open ground, as of a hint layer that is a texture."""
    size = 768
    random = np.random.default_rng(11)
    line = np.full((size, size), 255, np.uint8)
    scenes.ink(line, (0.3, 0.5), (0.7, 0.5), width=0.004)
    hints = random.integers(0, 256, (size, size, 4), np.uint8)
    hints[..., 3] = np.where(random.random((size, size)) < 0.3, 255, 0)
    result = colour_flats(line, hints)
    on_paper = (hints[..., 3] == 255) & (line == 255)
    assert (result.flats[on_paper] == hints[on_paper]).all(axis=1).mean() > 0.99

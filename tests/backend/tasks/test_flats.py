"""What `colour_flats` makes of every kind of hint, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from backend.regions.palette import paint
from backend.tasks.flats import colour_flats
from protocol.errors import ErrorCode, NuriError
from tests.backend.regions import scenes
from tests.backend.regions.scenes import BLUE, CENTRES, COLOURS, GREEN, OCHRE, OUTSIDE, RED

SIZE = 256


@pytest.fixture(scope="module")
def house() -> np.ndarray:
    return scenes.house(SIZE)


def in_dtype(colour: tuple[int, ...], dtype: type, channels: int) -> np.ndarray:
    """A colour whose last bits matter in this dtype."""
    shares = np.resize(np.array(colour[:3]) / 257.3, channels - 1)
    if np.issubdtype(dtype, np.floating):
        return np.append(shares, 1).astype(dtype)
    peak = np.iinfo(dtype).max
    return np.append(np.rint(shares * peak), peak).astype(dtype)


@pytest.mark.parametrize("channels", [2, 4, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
def test_hint_colours_are_exact_to_the_last_bit(house, dtype, channels):
    hints = np.zeros((SIZE, SIZE, channels), dtype)
    colours = {
        name: in_dtype(np.roll(COLOURS[name][:3], channels), dtype, channels) for name in CENTRES
    }
    for name, place in CENTRES.items():
        rows, columns = (slice(round(v * SIZE) - 4, round(v * SIZE) + 4) for v in place[::-1])
        hints[rows, columns] = colours[name]
    flats = colour_flats(house, hints).flats
    assert flats.dtype == dtype and flats.shape == hints.shape
    for name in CENTRES:
        inside = np.unique(flats[scenes.room(name, SIZE)].reshape(-1, channels), axis=0)
        assert inside.tobytes() == colours[name].tobytes(), name


def test_closed_regions_take_their_hints(house):
    result = colour_flats(house, scenes.dots(SIZE))
    for name, colour in COLOURS.items():
        assert scenes.share(result.flats, name, colour) == 1
    assert result.warnings == [] and result.gaps == []
    assert scenes.at(result.flats, OUTSIDE) == (0, 0, 0, 0)


def test_closed_regions_without_hints_stay_empty(house):
    flats = colour_flats(house, scenes.dots(SIZE, "nw se")).flats
    assert scenes.share(flats, "nw", RED) == 1 and scenes.share(flats, "se", OCHRE) == 1
    assert scenes.is_empty(flats, "ne") and scenes.is_empty(flats, "sw")


def test_fill_unhinted_colours_every_region_evenly(house):
    flats = colour_flats(house, scenes.dots(SIZE, "nw se"), fill_unhinted=True).flats
    assert scenes.share(flats, "nw", RED) == 1 and scenes.share(flats, "se", OCHRE) == 1
    for name in ("ne", "sw"):
        colour = scenes.at(flats, CENTRES[name])
        assert colour in (RED, OCHRE)
        assert scenes.share(flats, name, colour) == 1
    assert flats[..., 3].all()


def test_a_hint_outside_colours_all_of_the_background(house):
    hints = scenes.dots(SIZE, "nw")
    scenes.dot(hints, OUTSIDE, BLUE)
    flats = colour_flats(house, hints).flats
    for place in ((0.04, 0.96), (0.96, 0.04), (0.96, 0.96), (0.5, 0.95), (0.5, 0.05)):
        assert scenes.at(flats, place) == BLUE
    assert scenes.share(flats, "nw", RED) == 1
    assert scenes.is_empty(flats, "se")


def test_a_stroke_that_slips_over_a_line_does_not_colour_beyond(house):
    hints = scenes.no_hints(SIZE)
    scenes.stroke(hints, (0.2, 0.3), (0.512, 0.3), RED)
    assert hints[scenes.pixel((0.52, 0.3), SIZE)][3]  # it does lie on the other side
    flats = colour_flats(house, hints).flats
    assert scenes.share(flats, "nw", RED) == 1
    assert scenes.is_empty(flats, "ne")


def test_a_slip_does_not_disturb_the_neighbours_own_hint(house):
    hints = scenes.dots(SIZE, "ne")
    scenes.stroke(hints, (0.2, 0.3), (0.512, 0.3), RED)
    flats = colour_flats(house, hints).flats
    assert scenes.share(flats, "nw", RED) == 1
    assert scenes.share(flats, "ne", GREEN) == 1


def test_a_stroke_across_regions_colours_them_all(house):
    hints = scenes.dots(SIZE, "se")
    scenes.stroke(hints, (0.2, 0.3), (0.8, 0.3), BLUE)
    flats = colour_flats(house, hints).flats
    assert scenes.share(flats, "nw", BLUE) == 1 and scenes.share(flats, "ne", BLUE) == 1
    assert scenes.share(flats, "se", OCHRE) == 1
    assert scenes.is_empty(flats, "sw")


@pytest.mark.parametrize("width", [0.005, 0.03, 0.15])
def test_dots_strokes_and_blobs_give_the_same(house, width):
    hints = scenes.no_hints(SIZE)
    for name, (x, y) in CENTRES.items():
        scenes.stroke(hints, (x - 0.08, y), (x + 0.08, y + 0.03), COLOURS[name], width)
    expected = colour_flats(house, scenes.dots(SIZE)).flats
    np.testing.assert_array_equal(colour_flats(house, hints).flats, expected)


def test_a_single_pixel_colours_its_region(house):
    hints = scenes.no_hints(SIZE)
    hints[scenes.pixel(CENTRES["sw"], SIZE)] = BLUE
    flats = colour_flats(house, hints).flats
    assert scenes.share(flats, "sw", BLUE) == 1
    assert scenes.is_empty(flats, "nw")


def test_soft_brush_rims_add_no_colours(house):
    hints = scenes.no_hints(SIZE)
    ys, xs = np.mgrid[:SIZE, :SIZE]
    shift = np.random.default_rng(5).integers(-3, 4, (SIZE, SIZE, 3))
    for name, place in CENTRES.items():
        row, column = scenes.pixel(place, SIZE)
        alpha = np.clip((16 - np.hypot(ys - row, xs - column)) / 7, 0, 1)
        rim = (alpha > 0) & (alpha < 1)
        hints[alpha > 0, :3] = COLOURS[name][:3]
        hints[rim, :3] = np.clip(hints[rim, :3] + shift[rim], 0, 255)
        hints[alpha > 0, 3] = np.rint(alpha[alpha > 0] * 255)
    result = colour_flats(house, hints)
    assert {tuple(row) for row in result.palette.tolist()} == set(COLOURS.values())
    for name, colour in COLOURS.items():
        assert scenes.share(result.flats, name, colour) == 1


def test_two_hints_in_one_region_divide_it(house):
    hints = scenes.no_hints(SIZE)
    scenes.dot(hints, (0.2, 0.3), RED)
    scenes.dot(hints, (0.4, 0.3), GREEN)
    flats = colour_flats(house, hints).flats
    assert scenes.at(flats, (0.2, 0.3)) == RED and scenes.at(flats, (0.4, 0.3)) == GREEN
    shares = [scenes.share(flats, "nw", colour) for colour in (RED, GREEN)]
    assert sum(shares) == 1 and min(shares) > 0.3


def test_a_hint_that_lies_on_a_line_is_told(house):
    hints = scenes.dots(SIZE, "sw")
    hints[scenes.pixel((0.5, 0.3), SIZE)] = GREEN
    result = colour_flats(house, hints)
    assert len(result.warnings) == 1 and "line" in result.warnings[0]
    assert not (result.flats == np.array(GREEN, np.uint8)).all(axis=-1).any()
    assert scenes.share(result.flats, "sw", BLUE) == 1


def test_no_colour_leaves_the_selection(house):
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[:, : round(0.3 * SIZE)] = 255
    whole = colour_flats(house, scenes.dots(SIZE))
    confined = colour_flats(house, scenes.dots(SIZE), mask=mask)
    assert not confined.flats[mask == 0].any()
    assert not confined.regions[mask == 0].any()
    np.testing.assert_array_equal(confined.flats[mask > 0], whole.flats[mask > 0])


def test_a_feathered_selection_feathers_alpha_alone(house):
    mask = np.full((SIZE, SIZE), 191, np.uint8)
    flats = colour_flats(house, scenes.dots(SIZE), mask=mask).flats
    assert scenes.at(flats, CENTRES["nw"]) in {(*RED[:3], 190), (*RED[:3], 191)}


def test_one_palette_edit_recolours_exactly_its_regions(house):
    hints = scenes.dots(SIZE)
    scenes.stroke(hints, CENTRES["nw"], CENTRES["ne"], RED)  # now one colour in two rooms
    result = colour_flats(house, hints)
    same = paint(result.regions, result.region_palette, result.palette, 4)
    np.testing.assert_array_equal(same, result.flats)
    entry = result.palette.tolist().index(list(RED))
    palette = result.palette.copy()
    palette[entry] = (1, 2, 3, 255)
    edited = paint(result.regions, result.region_palette, palette, 4)
    changed = (edited != result.flats).any(axis=-1)
    mine = np.isin(result.regions, np.flatnonzero(result.region_palette == entry))
    np.testing.assert_array_equal(changed, mine)
    assert (edited[changed] == (1, 2, 3, 255)).all()
    assert mine[scenes.pixel(CENTRES["sw"], SIZE)] == 0


def test_regions_and_palette_fit_together(house):
    result = colour_flats(house, scenes.dots(SIZE, "nw se"))
    regions = np.unique(result.regions)
    assert result.regions.dtype == np.int32
    assert regions[-1] == len(result.region_palette) - 1
    assert result.region_palette[0] == -1
    assert set(result.region_palette.tolist()) == {-1, 0, 1}
    named = [int(result.regions[scenes.pixel(place, SIZE)]) for place in CENTRES.values()]
    assert len(set(named)) == 4 and 0 not in named


def test_two_runs_are_equal():
    line, hints = scenes.house(SIZE, gap=0.02), scenes.dots(SIZE)
    one, other = colour_flats(line, hints), colour_flats(line, hints)
    np.testing.assert_array_equal(one.flats, other.flats)
    np.testing.assert_array_equal(one.regions, other.regions)
    assert one.gaps == other.gaps


def test_inputs_are_left_as_they_were(house):
    line, hints = house.copy(), scenes.dots(SIZE)
    before = hints.copy()
    colour_flats(line, hints, mask=np.full((SIZE, SIZE), 128, np.uint8))
    np.testing.assert_array_equal(line, house)
    np.testing.assert_array_equal(hints, before)


def refused(line: np.ndarray, hints: np.ndarray) -> NuriError:
    with pytest.raises(NuriError) as caught:
        colour_flats(line, hints)
    assert caught.value.info.code is ErrorCode.bad_input
    assert caught.value.info.action
    return caught.value


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(np.full((64, 64), 255, np.uint8), id="white"),
        pytest.param(np.zeros((64, 64), np.uint8), id="black"),
        pytest.param(np.zeros((64, 64, 4), np.uint8), id="transparent"),
        pytest.param(np.full((64, 64, 3), 65000, np.uint16), id="16 bit"),
        pytest.param(np.full((64, 64), 252, np.uint8) + np.eye(64, dtype=np.uint8), id="nearly"),
    ],
)
def test_a_blank_page_is_refused(line):
    assert "blank" in str(refused(line, scenes.dots(64)))


def test_empty_hints_are_refused(house):
    assert "no hints" in str(refused(house, scenes.no_hints(SIZE)))


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1, 1])
def test_hints_of_another_size_are_refused_with_both_sizes(house, size):
    error = refused(house, np.full((size, size, 4), 255, np.uint8))
    assert f"{size} x {size}" in str(error) and f"{SIZE} x {SIZE}" in error.info.action


def test_one_pixel_is_blank():
    refused(np.zeros((1, 1), np.uint8), np.full((1, 1, 4), 255, np.uint8))


def test_a_page_as_long_and_thin_as_can_be():
    line = np.full((20, 20_000), 255, np.uint8)
    line[:, 10_000:10_003] = 0
    hints = np.zeros((20, 20_000, 4), np.uint8)
    hints[8:12, 2_000:2_040] = RED
    hints[8:12, 15_000:15_040] = BLUE
    flats = colour_flats(line, hints).flats
    assert (flats[:, :9_950] == RED).all()
    assert (flats[:, 10_053:] == BLUE).all()


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4])
def test_a_cancelled_job_stops_at_the_next_step(house, steps):
    seen: list[float] = []
    with pytest.raises(NuriError) as caught:
        colour_flats(
            house,
            scenes.dots(SIZE),
            progress=lambda fraction, stage: seen.append(fraction),
            cancelled=lambda: len(seen) >= steps,
        )
    assert caught.value.info.code is ErrorCode.cancelled
    assert len(seen) == steps


def test_progress_grows_and_names_its_stages(house):
    seen: list[tuple[float, str]] = []
    colour_flats(house, scenes.dots(SIZE), progress=lambda *step: seen.append(step))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions) and 0 <= fractions[0] <= fractions[-1] <= 1
    assert all(stage for _, stage in seen) and len(seen) >= 3

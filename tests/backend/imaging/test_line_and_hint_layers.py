from __future__ import annotations

import numpy as np
import pytest

from backend.imaging import io
from backend.imaging.layered import names
from protocol.errors import NuriError
from tests.backend.imaging import files


def flat(*rgba: int) -> np.ndarray:
    return np.full((8, 9, 4), rgba, np.uint8)


def stroke() -> np.ndarray:
    pixels = flat(0, 0, 0, 0)
    pixels[2:5, 3] = (0, 0, 0, 200)
    return pixels


@pytest.mark.parametrize("name", ["Hints", "hints", "Nuri hints", "Colour hints"])
def test_hint_layer_is_found_by_its_name(name):
    data = files.kra({name: flat(1, 2, 3, 4), "Sketch": stroke()})
    assert io.open_layered(data, "a.kra").hint_layer() == name


def test_no_hint_layer():
    data = files.kra({"Paint Layer 1": stroke()})
    assert io.open_layered(data, "a.kra").hint_layer() == ""


def test_line_layer_is_found_by_its_name():
    data = files.kra({"Hints": flat(1, 2, 3, 255), "Colour": flat(9, 9, 9, 255), "Lines": stroke()})
    lines = io.open_layered(data, "a.kra").lines("Hints")
    np.testing.assert_array_equal(lines, stroke())


def test_hidden_hints_leave_the_merged_picture_as_the_drawing():
    merged = io.encode_png(flat(7, 7, 7, 255))
    layers = {"Hints": flat(1, 2, 3, 255), "Sketch": stroke()}
    data = files.kra(layers, {"Hints": 'visible="0"'}, merged)
    lines = io.open_layered(data, "a.kra").lines("Hints")
    np.testing.assert_array_equal(lines, flat(7, 7, 7, 255))


def test_shown_hints_are_left_out_of_the_drawing():
    layers = {"Hints": flat(255, 0, 0, 255), "Sketch": stroke(), "Paper": flat(250, 240, 230, 255)}
    layers["Hidden"] = flat(0, 0, 255, 255)
    data = files.kra(layers, {"Hidden": 'visible="0"', "Sketch": 'opacity="128"'})
    lines = io.open_layered(data, "a.kra").lines("Hints")
    expected = flat(250, 240, 230, 255).astype(float)
    share = 200 / 255 * 128 / 255
    expected[2:5, 3, :3] *= 1 - share
    assert np.abs(lines - expected).max() <= 0.51


def test_blending_that_cannot_be_told_asks_for_a_name():
    data = files.kra(
        {"Hints": flat(1, 2, 3, 255), "Shade": stroke(), "Sketch": stroke()},
        {"Shade": 'compositeop="multiply"'},
    )
    with pytest.raises(
        NuriError, match=r"'Shade'.*Name the line layer with --line-layer.*'Sketch'"
    ):
        io.open_layered(data, "a.kra").lines("Hints")


def test_nothing_but_hints():
    data = files.kra({"Hints": flat(1, 2, 3, 255)})
    with pytest.raises(NuriError, match=r"a\.kra shows no layer besides the hints"):
        io.open_layered(data, "a.kra").lines("Hints")


def test_two_layers_of_one_name_are_told_apart_by_their_path():
    parts = {"data/a.png": io.encode_png(flat(1, 1, 1, 255))}
    layer = '<layer name="Line" src="data/a.png"/>'
    data = files.ora(f'{layer}<stack name="Old">{layer}</stack>', parts, 9, 8)
    assert names(io.open_layered(data, "a.ora").tree) == ["Line", "Old", "Old/Line"]


def test_layers_that_cannot_be_told_apart():
    parts = {"data/a.png": io.encode_png(stroke()), "data/b.png": io.encode_png(flat(9, 9, 9, 9))}
    stack = '<layer name="Ink" src="data/a.png"/><layer name="Ink" src="data/b.png"/>'
    layered = io.open_layered(files.ora(stack, parts, 9, 8), "a.ora")
    with pytest.raises(NuriError, match=r"a\.ora has 2 layers 'Ink' that .* \(Give each a name"):
        layered.layer("Ink")


def test_hints_on_a_layer_that_is_named_like_lines():
    data = files.kra({"Lines": flat(255, 0, 0, 255), "Sketch": stroke()})
    seen = stroke()[..., 3] > 0
    lines = io.open_layered(data, "a.kra").lines("Lines")
    np.testing.assert_array_equal(lines[seen], stroke()[seen])


def test_a_group_can_be_the_lines():
    parts = {"data/a.png": io.encode_png(stroke()), "data/b.png": io.encode_png(flat(9, 9, 9, 9))}
    stack = (
        '<layer name="Hints" src="data/b.png"/><stack name="Lines" visibility="hidden">'
        '<layer name="1" src="data/a.png"/><layer name="2" src="data/b.png" visibility="hidden"/>'
        "</stack>"
    )
    layered = io.open_layered(files.ora(stack, parts, 9, 8), "a.ora")
    seen = stroke()[..., 3] > 0
    lines = layered.lines("Hints")
    np.testing.assert_array_equal(lines[seen], stroke()[seen])
    assert not lines[~seen][:, 3].any()


def test_an_empty_group_says_so():
    parts = {"data/b.png": io.encode_png(flat(9, 9, 9, 9))}
    stack = '<layer name="Hints" src="data/b.png"/><stack name="Lines"></stack>'
    with pytest.raises(NuriError, match=r"a\.ora shows nothing in 'Lines'"):
        io.open_layered(files.ora(stack, parts, 9, 8), "a.ora").lines("Hints")


def hint_layers(hints: str) -> bytes:
    """An .ora with ``hints`` for the inside of its stack; h is a red layer, l a stroke."""
    parts = {
        "data/h.png": io.encode_png(flat(255, 0, 0, 255)),
        "data/l.png": io.encode_png(stroke()),
    }
    return files.ora(hints, parts, 9, 8)


HINT = '<layer name="{}" src="data/h.png"/>'
SKETCH = '<layer name="Sketch" src="data/l.png"/>'


@pytest.mark.parametrize(
    "stack",
    [
        pytest.param(f'<stack name="Hints">{HINT.format("a")}</stack>{SKETCH}', id="group"),
        pytest.param(
            f'<stack name="Hints"><stack name="b">{HINT.format("a")}</stack></stack>{SKETCH}',
            id="group in a group",
        ),
        pytest.param(
            f'<stack name="Hints">{HINT.format("ink")}</stack>{SKETCH}', id="named like lines"
        ),
        pytest.param(
            f'<stack name="Line art">{HINT.format("Hints")}{SKETCH}</stack>', id="among lines"
        ),
        pytest.param(
            f'<stack name="Ink"><stack name="Hints">{HINT.format("a")}</stack>{SKETCH}</stack>',
            id="group among lines",
        ),
    ],
)
def test_hints_in_groups_are_no_lines(stack: str):
    layered = io.open_layered(hint_layers(stack), "a.ora")
    lines = layered.lines(layered.hint_layer())
    np.testing.assert_array_equal(lines[..., 3], stroke()[..., 3])


def test_hints_in_a_group_that_is_named_as_the_lines_are_no_lines():
    stack = f'<stack name="Drawing">{HINT.format("Hints")}{SKETCH}</stack>'
    layered = io.open_layered(hint_layers(stack), "a.ora")
    lines = layered.layer("Drawing", layered.hint_layer())
    np.testing.assert_array_equal(lines[..., 3], stroke()[..., 3])
    assert layered.layer("Drawing")[..., 3].all()  # as a picture it is shown whole
    # what is named itself is not left out
    assert layered.layer("Drawing/Hints", layered.hint_layer())[..., 3].all()


def test_a_group_with_nothing_but_hints_says_so():
    stack = f'<stack name="Lines">{HINT.format("Hints")}</stack>'
    layered = io.open_layered(hint_layers(stack), "a.ora")
    with pytest.raises(NuriError, match=r"a\.ora shows nothing in 'Lines' besides the hints"):
        layered.lines("Hints")

"""Krita's "inherit alpha": a layer that shows only on what lies below it in its group.

The expected values are those of Krita 5.1's own export of the same layers.
"""

from __future__ import annotations

import numpy as np
import pytest

from backend.imaging import io
from protocol.errors import NuriError
from tests.backend.imaging import files

INK, SOFT, OUT = (2, 2), (5, 2), (7, 7)  # of the base: covered, half covered, empty
CLIPPED = 'channelflags="1110"'


def flat(*rgba: int) -> np.ndarray:
    return np.full((8, 9, 4), rgba, np.uint8)


def base() -> np.ndarray:
    pixels = flat(0, 0, 0, 0)
    pixels[1:4, 1:5] = (0, 0, 0, 255)
    pixels[4:6, 1:5] = (0, 0, 0, 128)
    return pixels


PICTURES = {
    "hints": flat(0, 255, 0, 255),
    "tint": flat(200, 40, 20, 255),
    "half": flat(0, 0, 250, 128),
    "base": base(),
    "paper": flat(255, 255, 0, 255),
}


def layer(name: str, more: str = "") -> str:
    number = list(PICTURES).index(name)
    return (
        f'<layer name="{name}" nodetype="paintlayer" colorspacename="RGBA" '
        f'filename="layer{number}" {more}/>'
    )


def group(inside: str, more: str = "") -> str:
    return f'<layer name="G" nodetype="grouplayer" {more}><layers>{inside}</layers></layer>'


def drawing(stack: str) -> np.ndarray:
    """All that is shown of a .kra with these layers under its hints."""
    parts = {"mimetype": b"application/x-krita"}
    for number, pixels in enumerate(PICTURES.values()):
        parts[f"t/layers/layer{number}"] = files.tiles(pixels[..., (2, 1, 0, 3)])
    xml = f'<DOC><IMAGE name="t" width="9" height="8"><layers>{layer("hints")}{stack}</layers>'
    parts["maindoc.xml"] = f"{xml}</IMAGE></DOC>".encode()
    return io.open_layered(files.archive(parts), "a.kra").lines("hints")


@pytest.mark.parametrize(
    ("stack", "ink", "soft", "out"),
    [
        pytest.param(
            layer("tint", CLIPPED) + layer("half", CLIPPED) + layer("base"),
            (200, 40, 20, 255), (200, 40, 20, 128), None, id="two",
        ),
        pytest.param(
            layer("tint", f'{CLIPPED} opacity="100"') + layer("base"),
            (78, 16, 8, 255), (78, 16, 8, 128), None, id="opacity",
        ),
        pytest.param(
            group(layer("half", CLIPPED) + layer("base")) + layer("paper"),
            (0, 0, 125, 255), (127, 127, 63, 255), (255, 255, 0, 255), id="in a group",
        ),
        pytest.param(
            group(layer("half"), CLIPPED) + layer("base"),
            (0, 0, 125, 255), (0, 0, 125, 128), None, id="a group",
        ),
        pytest.param(
            group(layer("half", CLIPPED)) + layer("base"),
            (0, 0, 0, 255), (0, 0, 0, 128), None, id="lowest of its group",
        ),
        pytest.param(
            group(layer("half", CLIPPED), 'passthrough="1"') + layer("base"),
            (0, 0, 125, 255), (0, 0, 125, 128), None, id="in a group that passes through",
        ),
        pytest.param(
            layer("tint", CLIPPED) + layer("half", 'visible="0"') + layer("base"),
            (200, 40, 20, 255), (200, 40, 20, 128), None, id="over a hidden one",
        ),
    ],
)  # fmt: skip
def test_clipped_layers_show_on_what_is_below(stack, ink, soft, out):
    pixels = drawing(stack).astype(int)
    for place, expected in ((INK, ink), (SOFT, soft), (OUT, out)):
        if expected is None:
            assert pixels[place][3] == 0
        else:
            assert np.abs(pixels[place] - expected).max() <= 1, place


@pytest.mark.parametrize("below", ["", layer("base", CLIPPED), layer("base", 'visible="0"')])
def test_with_nothing_below_nothing_shows(below):
    with pytest.raises(NuriError, match="shows no layer besides the hints"):
        drawing(layer("half", CLIPPED) + below)


@pytest.mark.parametrize(
    "stack",
    [
        pytest.param(layer("tint", 'channelflags="0111"'), id="a colour left out"),
        pytest.param(group(layer("tint"), f'{CLIPPED} passthrough="1"'), id="a passing group"),
    ],
)
def test_what_cannot_be_told_asks_for_a_name(stack):
    with pytest.raises(NuriError, match=r"only a paint program can merge .*--line-layer"):
        drawing(stack + layer("base"))


def test_grey_layers_have_their_alpha_second():
    """As Krita writes the flags of grey and alpha."""
    stack = layer("tint", 'channelflags="10"') + layer("base")
    assert drawing(stack)[OUT][3] == 0


def test_open_raster_as_krita_writes_it():
    parts = {f"data/{name}.png": io.encode_png(pixels) for name, pixels in PICTURES.items()}
    stack = (
        '<layer name="Hints" src="data/hints.png"/>'
        '<layer name="tint" src="data/tint.png" composite-op="svg:src-atop"/>'
        '<layer name="base" src="data/base.png"/>'
    )
    pixels = io.open_layered(files.ora(stack, parts, 9, 8), "a.ora").lines("Hints")
    assert pixels[INK].tolist() == [200, 40, 20, 255]
    assert pixels[SOFT].tolist() == [200, 40, 20, 128]
    assert pixels[OUT][3] == 0

"""What key frames are painted with comes back: translucent, of other profiles, at other sizes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from backend.imaging import icc, io, planes
from backend.tasks import job
from protocol.errors import NuriError
from protocol.pixels import EncodedImage, PixelFormat, Plane
from tests.backend.imaging.profiles import BROKEN, WIDE

if any(find_spec(name) is None for name in ("torch", "safetensors")):
    pytest.skip("PyTorch is missing", allow_module_level=True)

from backend.tasks.animation_paints import KeyPaint, read_paints
from backend.weights import store
from tests.backend.weights.shelf import lend

SIDE = 240
RED, BLUE = (220, 30, 40), (20, 40, 200)
AT_RED, AT_BLUE, GROUND = (60, 60), (60, 180), (5, 5)


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder: Path = tmp_path_factory.mktemp("weights")
    lend(folder, "matching")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(store.OVERRIDE, str(folder))
        yield


def lines() -> np.ndarray:
    line = np.full((SIDE, SIDE), 255, np.uint8)
    cv2.rectangle(line, (20, 20), (110, 220), 0, 3)
    cv2.rectangle(line, (110, 20), (220, 220), 0, 3)
    return line


def key(red_alpha: int, blue_alpha: int, rows: slice = slice(22, 219)) -> np.ndarray:
    """(SIDE, SIDE, 4): a red and a blue box, or dots of both."""
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    whole = rows.start == 22
    pixels[rows, 22 : 109 if whole else 40] = (*RED, red_alpha)
    pixels[rows, 112 : 219 if whole else 130] = (*BLUE, blue_alpha)
    return pixels


DOTS = slice(100, 120)


def frame(*more: Plane, time: float = 1, **options: Any) -> job.Outcome:
    """The frame at a time, of the lines that the key frame at 0 has."""
    line = planes.to_plane("line0", lines(), PixelFormat.gray8)
    own = (
        []
        if any(one.name == "line" for one in more)
        else [planes.to_plane("line", lines(), PixelFormat.gray8)]
    )
    return job.run(
        "animation",
        [line, *own, *more],
        {"keys": [0], **options},
        progress=lambda fraction, stage: None,
        cancelled=lambda: False,
        frame=0,
        facts={"time": time},
        memory={},
    )


def flats(outcome: job.Outcome) -> np.ndarray:
    assert "error" not in outcome.facts, outcome.facts
    return planes.to_array(outcome.outputs[0])


@pytest.mark.parametrize("alphas", [(200, 255), (200, 200), (255, 254), (60, 130)])
@pytest.mark.parametrize("pixel_format", [PixelFormat.rgba8, PixelFormat.bgra8])
def test_translucent_paint_comes_back(alphas: tuple[int, int], pixel_format: PixelFormat):
    painted = planes.from_rgba(key(*alphas), pixel_format)
    assert painted is not None
    found = flats(frame(planes.to_plane("key0", painted, pixel_format)))
    for place in (AT_RED, AT_BLUE):
        assert found[place].tolist() == painted[place].tolist()
    assert found[GROUND].tolist() == [0, 0, 0, 0]


def test_translucent_paint_comes_back_in_16_bit():
    exact = key(200, 200).astype(np.uint16) * 257 - np.uint16(key(200, 200) > 0)
    given = (
        planes.to_plane("key0", key(200, 200), PixelFormat.rgba8),
        planes.to_plane("exact0", exact, PixelFormat.rgba16),
    )
    found = flats(frame(*given))
    assert found[AT_RED].tolist() == exact[AT_RED].tolist()
    assert found[AT_BLUE].tolist() == exact[AT_BLUE].tolist()


@pytest.mark.parametrize("time", [0, 1])
@pytest.mark.parametrize("alphas", [(255, 255), (200, 255), (200, 200)])
def test_translucent_hints_give_their_colours_in_full(alphas: tuple[int, int], time: int):
    hints = planes.to_plane("key0", key(*alphas, DOTS), PixelFormat.rgba8)
    found = flats(frame(hints, time=time))
    assert found[AT_RED].tolist() == [*RED, 255]
    assert found[AT_BLUE].tolist() == [*BLUE, 255]


@pytest.mark.parametrize("time", [0, 1])
def test_translucent_hints_of_inks(time: int):
    exact = np.zeros((SIDE, SIDE, 5), np.uint8)
    exact[DOTS, 22:40] = (0, 221, 210, 35, 200)
    exact[DOTS, 112:130] = (230, 204, 0, 55, 200)
    given = (
        planes.to_plane("key0", key(200, 200, DOTS), PixelFormat.rgba8),
        planes.to_plane("exact0", exact, PixelFormat.cmyka8),
    )
    found = flats(frame(*given, time=time))
    assert found[AT_RED].tolist() == [0, 221, 210, 35, 255]
    assert found[AT_BLUE].tolist() == [230, 204, 0, 55, 255]


def result_of(*colours: tuple[int, ...]) -> Any:
    """What `Paints` looks at of a result: a palette."""
    return type("Result", (), {"palette": np.array(colours, np.uint8)})


@pytest.mark.parametrize(
    ("pixel_format", "expected"),
    [
        (PixelFormat.rgba8, [20, 40, 200, 255]),
        (PixelFormat.bgra16, [200 * 257, 40 * 257, 20 * 257, 65535]),
    ],
)
def test_a_paint_that_no_key_frame_has_in_this_format_is_no_other_paint(pixel_format, expected):
    red = np.zeros((8, 8, 4), np.uint8)
    red[:] = (*RED, 255)
    exact = planes.from_rgba(red, pixel_format)
    blue = np.full((8, 8, 3), BLUE, np.uint8)
    paints = read_paints(
        [
            KeyPaint(red, red, planes.to_plane("exact0", exact, pixel_format)),
            KeyPaint(blue, blue, None),
        ]
    )
    found = paints.palette(result_of((*BLUE, 255), (222, 30, 40, 255)))
    assert found[0].tolist() == expected
    assert found[1].tolist() == exact[0, 0].tolist()  # as good as the same


def test_key_frames_of_two_formats_do_not_change_their_channels():
    red, blue = (np.full((8, 8, 4), (*one, 255), np.uint8) for one in (RED, BLUE))
    keys = [
        KeyPaint(one, one, planes.to_plane("key", planes.from_rgba(one, kind), kind))
        for one, kind in ((red, PixelFormat.rgba8), (blue, PixelFormat.bgra8))
    ]
    found = read_paints(keys).palette(result_of((*BLUE, 255)))
    assert found.tolist() == [[*BLUE, 255]]


def test_a_key_file_of_another_profile_becomes_srgb():
    shown = np.full((SIDE, SIDE, 3), 255, np.uint8)
    shown[22:219, 22:109], shown[22:219, 112:219] = (120, 80, 60), (70, 150, 90)
    shown[lines() < 128] = 0
    convert = icc.conversion(b"", WIDE)
    assert convert is not None
    file = EncodedImage("key0", "key.png", io.encode_png(convert(shown), WIDE))
    outcome = frame(file, encode="png")
    result = io.read_picture(outcome.outputs[0].data, "flats.png")
    assert result.icc == b""
    for place in (AT_RED, AT_BLUE):
        assert np.abs(result.pixels[place][:3].astype(int) - shown[place]).max() <= 2
    assert outcome.info["warnings"] == []


def test_a_key_file_with_a_broken_profile_warns_once():
    pixels = np.ascontiguousarray(np.where(lines()[..., None] < 128, 0, key(255, 255)[..., :3]))
    file = EncodedImage("key0", "key.png", io.encode_png(pixels.astype(np.uint8), BROKEN))
    memory: dict[str, Any] = {}
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    line = [planes.to_plane(name, lines(), PixelFormat.gray8) for name in ("line0", "line")]
    said = [
        job.run(
            "animation", [file, *line], {"keys": [0]}, frame=n, facts={}, memory=memory, **silent
        ).info["warnings"]
        for n in (0, 1, 2)
    ]
    assert [len(one) for one in said[1:]] == [0, 0]
    assert len(said[0]) == 1 and "key.png has a broken colour profile" in said[0][0]


@pytest.mark.parametrize("wanted", ["flats", "picture", "confidence", "regions"])
def test_a_hinted_key_frame_and_its_frame_of_another_size(wanted: str):
    larger = cv2.resize(lines(), (300, 300), interpolation=cv2.INTER_NEAREST)
    outcome = frame(
        planes.to_plane("key0", key(255, 255, DOTS), PixelFormat.rgba8),
        planes.to_plane("line", larger, PixelFormat.gray8),
        time=0,
        outputs=[wanted],
    )
    assert "error" not in outcome.facts
    assert (outcome.outputs[0].width, outcome.outputs[0].height) == (300, 300)
    assert (outcome.facts["width"], outcome.facts["height"]) == (300, 300)
    if wanted == "flats":
        assert flats(outcome)[75, 75].tolist() == [*RED, 255]


@pytest.mark.parametrize("time", [float("nan"), float("inf"), True, "soon"])
def test_a_time_is_a_finite_number(time: Any):
    with pytest.raises(NuriError, match="the time of a frame must be a finite number") as caught:
        frame(planes.to_plane("key0", key(255, 255), PixelFormat.rgba8), time=time)
    assert "\n" not in str(caught.value)
    with pytest.raises(NuriError, match="the option keys must be a list of finite numbers"):
        frame(planes.to_plane("key0", key(255, 255), PixelFormat.rgba8), keys=[float("nan")])

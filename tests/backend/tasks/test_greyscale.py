"""Colour for grey paintings: the lightness of every pixel stays, at any size and depth."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.imaging import color, io
from backend.tasks import job
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat

if any(find_spec(name) is None for name in ("torch", "safetensors")):
    pytest.skip("PyTorch is missing", allow_module_level=True)

from backend.tasks.greyscale import colour_grey
from backend.weights import store
from tests.backend.weights.shelf import put

MODELS = ("smsanet", "ibn_gan")
L_STEP = 0.39  # of L*: one step of 8-bit grey where grey is steepest


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    put(folder, "smsanet", {"width": 4, "attention_where": (4, 7)})
    put(folder, "ibn_gan", {"width": 4})
    return folder


@pytest.fixture(autouse=True)
def installed(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.OVERRIDE, str(shelf))


def painting(height: int, width: int) -> np.ndarray:
    """Every grey there is, in soft slopes with a sharp disc and a hairline."""
    y, x = np.mgrid[:height, :width] / max(height, width, 2)
    grey = np.rint(255 * np.clip(0.5 + 0.5 * np.sin(9 * x + 4 * y), 0, 1)).astype(np.uint8)
    cv2.circle(grey, (width // 3, height // 2), max(1, height // 5), 30, -1)
    if height > 4:
        grey[height // 4] = 0
    return grey


def light_of(rgb: np.ndarray) -> np.ndarray:
    return color.rgb_to_lab(rgb[..., :3] / np.float32(np.iinfo(rgb.dtype).max))[..., 0]


def light_of_grey(grey: np.ndarray) -> np.ndarray:
    return light_of(np.repeat(grey[..., None], 3, axis=2))


def run(picture, options=None, **kwargs):
    quiet = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return job.run("greyscale", [picture], options or {}, **{**quiet, **kwargs})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 2), (64, 48), (511, 700), (40, 9000)])
def test_lightness_stays_at_any_size(model, size):
    grey = painting(*size)
    coloured = colour_grey(grey, model)
    assert coloured.shape == (*size, 3)
    assert coloured.dtype == np.uint8
    assert np.abs(light_of(coloured) - light_of_grey(grey)).max() < L_STEP / 1.5
    if min(size) > 30:
        assert np.ptp(coloured.astype(int), axis=2).max() > 10  # there is colour


@pytest.mark.parametrize(
    ("model", "size", "seen"),
    [  # 7 levels take multiples of 128, 3 levels of 8
        ("ibn_gan", (300, 300), (128, 128)),
        ("ibn_gan", (1080, 1920), (128, 128)),
        ("ibn_gan", (100, 1000), (128, 384)),
        ("smsanet", (1080, 1920), (96, 168)),
        ("smsanet", (10, 9000), (8, 512)),
    ],
)
def test_the_copy_fills_what_a_network_takes(model, size, seen):
    shapes = []
    network = store.load(model, rounded=True)
    hook = network.register_forward_pre_hook(lambda _, inputs: shapes.append(inputs[0].shape[2:]))
    colour_grey(painting(*size), model)
    hook.remove()
    assert shapes == [seen]


def test_vivid_colours_lose_chroma_not_lightness():
    """Chroma far outside of the gamut, from a network that is sure of itself."""
    network = store.load("smsanet", rounded=True)
    bias = network.exit.bias
    before = bias.clone()
    bias.data[:] = bias.new_tensor([9.0, -9.0])  # behind tanh: a = 110, b = -110
    try:
        grey = painting(200, 300)
        coloured = colour_grey(grey, "smsanet")
    finally:
        bias.data.copy_(before)
    assert np.abs(light_of(coloured) - light_of_grey(grey)).max() < L_STEP / 1.5
    lab = color.rgb_to_lab(coloured[(grey > 60) & (grey < 190)] / np.float32(255))
    assert (lab[:, 1] > 15).all()
    assert (lab[:, 2] < -15).all()
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    assert np.abs(hue + 45).max() < 3


def test_sixteen_bits_stay():
    grey = painting(90, 120).astype(np.uint16) * 257
    grey[::2] += 60
    coloured = colour_grey(np.minimum(grey, 65535))
    assert coloured.dtype == np.uint16
    assert np.abs(light_of(coloured) - light_of_grey(grey)).max() < 0.01


def test_alpha_stays_and_what_is_transparent_is_not_seen():
    grey = painting(128, 128)
    rgba = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    assert np.array_equal(colour_grey(rgba)[..., :3], colour_grey(grey))
    rgba[:40, :, 3] = 0
    rgba[40:50, :, 3] = 128
    coloured = colour_grey(rgba)
    assert np.array_equal(coloured[..., 3], rgba[..., 3])
    assert not coloured[:40].any()
    assert np.abs(light_of(coloured) - light_of_grey(grey))[40:].max() < L_STEP / 1.5
    other = rgba.copy()
    other[:40, :, :3] = 77
    assert np.array_equal(colour_grey(other)[40:], coloured[40:])


def test_a_colour_picture_keeps_its_lightness():
    rgb = np.random.default_rng(0).integers(0, 256, (60, 70, 3), np.uint8)
    coloured = colour_grey(rgb)
    assert np.abs(light_of(coloured) - light_of(rgb)).max() < L_STEP / 1.5


def test_a_file_becomes_a_file_and_pixels_become_pixels():
    grey = painting(50, 60)
    (out,) = run(EncodedImage("picture", "p.png", io.encode_png(grey)), {"encode": "png"}).outputs
    assert isinstance(out, EncodedImage)
    expected = colour_grey(grey)
    assert np.array_equal(io.read_image(out.data, "out.png"), expected)
    pixels = PixelBuffer("picture", 60, 50, PixelFormat.gray8, grey.tobytes())
    outcome = run(pixels, {"model": MODELS[0]})
    (plane,) = outcome.outputs
    assert (plane.name, plane.format) == ("picture", PixelFormat.rgb8)
    assert bytes(plane.data) == expected.tobytes()
    assert outcome.info == {"width": 60, "height": 50, "warnings": []}
    bgra = np.dstack([grey, grey, grey, np.full_like(grey, 9)])
    buffer = PixelBuffer("picture", 60, 50, PixelFormat.bgra8, bgra.tobytes())
    (plane,) = run(buffer).outputs
    assert plane.format is PixelFormat.bgra8
    swapped = np.frombuffer(plane.data, np.uint8).reshape(50, 60, 4)
    assert np.array_equal(swapped[..., 2::-1], colour_grey(bgra)[..., :3])


def test_a_selection_leaves_the_rest_transparent():
    grey = painting(40, 50)
    picture = PixelBuffer("picture", 50, 40, PixelFormat.gray8, grey.tobytes())
    mask = PixelBuffer(
        "mask", 10, 20, PixelFormat.gray8, bytes([255]) * 100 + bytes([51]) * 100, 5, 6
    )
    inputs = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    (plane,) = job.run("greyscale", [picture, mask], {}, **inputs).outputs
    found = np.frombuffer(plane.data, np.uint8).reshape(40, 50, 4)
    wanted = np.zeros((40, 50), np.uint8)
    wanted[6:16, 5:15], wanted[16:26, 5:15] = 255, 51
    assert np.array_equal(found[..., 3], wanted)
    assert np.array_equal(found[6:26, 5:15, :3], colour_grey(grey)[6:26, 5:15])
    assert not found[wanted == 0].any()
    (plane,) = job.run("lines", [picture, mask], {"ground": "transparent"}, **inputs).outputs
    ink = np.frombuffer(plane.data, np.uint8).reshape(40, 50, 4)
    assert ink[6:16, 5:15, 3].any()
    assert not ink[~wanted.astype(bool)].any()


def test_progress_grows_and_a_cancelled_job_ends():
    heard = []
    picture = EncodedImage("picture", "p.png", io.encode_png(painting(1500, 1500)))
    run(picture, progress=lambda fraction, stage: heard.append(fraction))
    assert heard == sorted(heard)
    assert len(heard) >= 6
    for last in range(len(heard)):
        asked = iter([False] * last)
        with pytest.raises(NuriError) as caught:
            run(picture, cancelled=lambda asked=asked: next(asked, True))
        assert caught.value.code is ErrorCode.cancelled


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_blank_picture_is_refused(channels):
    blank = np.full((20, 30, channels), 180, np.uint8)
    with pytest.raises(NuriError, match=r"p\.png: the picture is blank") as caught:
        run(EncodedImage("picture", "p.png", io.encode_png(blank.squeeze())))
    assert caught.value.code is ErrorCode.bad_input


def test_nothing_but_transparency_is_refused():
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    picture[..., 3] = 0
    with pytest.raises(NuriError, match="blank"):
        colour_grey(picture)


def test_missing_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))
    with pytest.raises(NuriError, match="smsanet") as caught:
        colour_grey(painting(8, 8))
    assert caught.value.code is ErrorCode.model_missing
    put(tmp_path, "ibn_gan", {"width": 4})
    assert colour_grey(painting(8, 8)).shape == (8, 8, 3)  # the one that is there


def test_no_picture_and_wrong_options():
    with pytest.raises(NuriError, match="no picture"):
        job.run("greyscale", [], {}, progress=lambda f, s: None, cancelled=lambda: False)
    with pytest.raises(NuriError) as caught:
        run(EncodedImage("picture", "p.png", io.encode_png(painting(8, 8))), {"model": "manga"})
    assert caught.value.code is ErrorCode.malformed
    with pytest.raises(NuriError, match=r"p\.png"):
        run(EncodedImage("picture", "p.png", b"no picture"))

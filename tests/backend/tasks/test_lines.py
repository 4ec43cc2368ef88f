"""Line art of finished pictures: outlines and solid blacks stay, flat colour goes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging import io
from backend.tasks import job
from backend.tasks.lines import extract_lines
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat


def painting(size: int = 256) -> np.ndarray:
    """A red disc with a black outline, and a black square, on blue."""
    picture = np.full((size, size, 3), (120, 160, 230), np.uint8)
    width = max(1, size // 64)
    cv2.circle(picture, (size // 3, size // 3), size // 5, (200, 60, 60), -1)
    cv2.circle(picture, (size // 3, size // 3), size // 5, (0, 0, 0), width)
    picture[size * 5 // 8 : size * 7 // 8, size * 5 // 8 : size * 7 // 8] = 0
    return picture


def run(picture, options=None, **kwargs):
    quiet = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return job.run("lines", [picture], options or {}, **{**quiet, **kwargs})


@pytest.mark.parametrize("size", [64, 256, 1024])
def test_lines_and_solid_blacks_stay_and_colour_goes(size):
    lines = extract_lines(painting(size))
    assert lines.shape == (size, size)
    assert lines.dtype == np.uint8
    at = size // 3
    assert lines[at, at] == 255  # inside the disc
    assert lines[size // 16, size // 16] == 255  # the ground
    assert lines[at - size // 5, at - 1 : at + 2].min() < 60  # the outline
    assert lines[size * 3 // 4, size * 3 // 4] == 0  # the square


def test_any_kind_of_picture_gives_the_same_lines():
    rgb = painting()
    expected = extract_lines(rgb)
    opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    assert np.array_equal(extract_lines(opaque), expected)
    deep = extract_lines(rgb.astype(np.uint16) * 257)
    assert np.abs(deep.astype(int) - expected).max() <= 1


def test_what_is_transparent_is_paper():
    picture = np.dstack([painting(), np.zeros((256, 256), np.uint8)])
    picture[100:110, 40:200, :] = (0, 0, 0, 255)
    lines = extract_lines(picture)
    assert lines[105, 120] == 0
    assert lines[220, 220] == 255


def test_a_blank_picture_is_refused_by_name():
    blank = EncodedImage("picture", "blank.png", io.encode_png(np.full((9, 9), 200, np.uint8)))
    with pytest.raises(NuriError) as caught:
        run(blank)
    assert caught.value.info.code is ErrorCode.bad_input
    assert caught.value.info.message.startswith("blank.png: ")


def test_as_a_job_from_pixels_and_from_a_file():
    rgb = painting()
    buffer = PixelBuffer("picture", 256, 256, PixelFormat.rgb8, rgb.tobytes())
    (plane,) = run(buffer).outputs
    assert plane.format is PixelFormat.gray8
    file = EncodedImage("picture", "painting.png", io.encode_png(rgb))
    (png,) = run(file, {"encode": "png"}).outputs
    pixels = np.frombuffer(plane.data, np.uint8).reshape(256, 256)
    assert np.array_equal(io.read_image(png.data, "lines.png"), pixels)


def test_a_cancelled_job_ends():
    with pytest.raises(NuriError) as caught:
        run(
            PixelBuffer("picture", 256, 256, PixelFormat.rgb8, painting().tobytes()),
            cancelled=lambda: True,
        )
    assert caught.value.info.code is ErrorCode.cancelled


def test_ink_on_a_transparent_ground():
    picture = EncodedImage("picture", "p.png", io.encode_png(painting()))
    (paper,) = run(picture, {"encode": "png"}).outputs
    (ink,) = run(picture, {"encode": "png", "ground": "transparent"}).outputs
    lines, inked = io.read_image(paper.data, "a.png"), io.read_image(ink.data, "b.png")
    assert np.array_equal(inked[..., 3], 255 - lines)
    assert not inked[..., :3].any()
    (plane,) = run(picture, {"ground": "transparent"}).outputs
    assert plane.format is PixelFormat.rgba8
    assert bytes(plane.data) == inked.tobytes()


@pytest.fixture
def edge_network(tmp_path, monkeypatch):
    """A real extractor whose weights draw where the picture changes: a trained one in small."""
    torch = pytest.importorskip("torch")
    from backend.models.line_extractor import LineExtractor
    from backend.weights import store
    from tests.backend.weights.shelf import put_model

    torch.manual_seed(0)
    network = LineExtractor(width=4)
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    picture = torch.from_numpy(painting(96)).permute(2, 0, 1)[None] / 127.5 - 1
    wanted = torch.from_numpy(extract_lines(painting(96)))[None, None] / 127.5 - 1
    for _ in range(80):
        optimiser.zero_grad()
        (network(picture).main - wanted).abs().mean().backward()
        optimiser.step()
    put_model(tmp_path, "line_extractor", network.eval())
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))


def test_a_learned_line_is_as_thick_at_any_size(edge_network):
    shares = {}
    for size in (512, 1024, 2048):
        lines = extract_lines(painting(size), "learned")
        assert lines.shape == (size, size)
        assert lines.dtype == np.uint8
        shares[size] = (lines < 128).mean()
    assert shares[512] > 0.01
    assert abs(shares[1024] / shares[512] - 1) < 0.1
    assert abs(shares[2048] / shares[512] - 1) < 0.1
    between = (lines > 40) & (lines < 215)
    assert between.mean() < 0.5 * shares[2048]  # an edge, not a slope


@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (30, 17)])
def test_learned_lines_of_any_picture(edge_network, shape):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 4), np.uint8)
    if shape == (1, 1):
        with pytest.raises(NuriError, match="blank"):
            extract_lines(picture, "learned")
        return
    assert extract_lines(picture, "learned").shape == shape
    assert extract_lines(picture[..., 0].astype(np.uint16) * 257, "learned").shape == shape


def test_the_method_is_chosen_by_name(edge_network):
    picture = EncodedImage("picture", "p.png", io.encode_png(painting()))
    (plane,) = run(picture, {"method": "learned"}).outputs
    expected = extract_lines(painting(), "learned")
    assert bytes(plane.data) == expected.tobytes()
    (plane,) = run(picture).outputs
    assert bytes(plane.data) == extract_lines(painting()).tobytes()


def test_a_learned_method_without_weights_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("NURI_WEIGHTS", str(tmp_path))
    with pytest.raises(NuriError, match="line_extractor") as caught:
        run(EncodedImage("picture", "p.png", io.encode_png(painting())), {"method": "learned"})
    assert caught.value.code is ErrorCode.model_missing

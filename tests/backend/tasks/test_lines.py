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

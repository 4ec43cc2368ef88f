from __future__ import annotations

import numpy as np
import pytest

from backend.imaging import planes
from protocol.errors import NuriError
from protocol.pixels import PixelBuffer, PixelFormat


def buffer(pixel_format: PixelFormat, width: int, height: int, **place: int) -> PixelBuffer:
    size = width * height * pixel_format.bytes_per_pixel
    data = np.random.default_rng(1).integers(0, 60, size, np.uint8).tobytes()
    return PixelBuffer("hints", width, height, pixel_format, data, **place)


@pytest.mark.parametrize("pixel_format", PixelFormat)
def test_there_and_back_keeps_every_bit(pixel_format):
    before = buffer(pixel_format, 7, 5)
    pixels = planes.to_array(before)
    assert pixels.shape == (5, 7, pixel_format.channels)
    assert pixels.dtype.itemsize == pixel_format.bytes_per_channel
    after = planes.to_plane("hints", pixels, pixel_format)
    assert bytes(after.data) == bytes(before.data)


@pytest.mark.parametrize("pixel_format", PixelFormat)
def test_every_format_can_be_line_art(pixel_format):
    line = planes.to_line(planes.to_array(buffer(pixel_format, 7, 5)), pixel_format)
    assert line.shape[:2] == (5, 7)
    assert line.ndim == 2 or line.shape[2] in (3, 4)


def test_a_crop_lies_at_its_place():
    crop = buffer(PixelFormat.bgra8, 3, 2, x=4, y=1)
    canvas = planes.on_canvas(crop, 9, 6)
    np.testing.assert_array_equal(canvas[1:3, 4:7], planes.to_array(crop))
    assert canvas.sum() == planes.to_array(crop).sum()


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (7, 0), (0, 5)])
def test_a_crop_beyond_the_canvas_is_refused(x, y):
    with pytest.raises(NuriError, match=r"hints covers 3 x 2 pixels .* beyond the 9 x 6"):
        planes.on_canvas(buffer(PixelFormat.rgba8, 3, 2, x=x, y=y), 9, 6)


def test_colours_stay_in_their_places():
    bgra = np.array([[[1, 2, 3, 4]]], np.uint8)
    np.testing.assert_array_equal(planes.to_rgb(bgra, PixelFormat.bgra8), [[[3, 2, 1, 4]]])
    np.testing.assert_array_equal(planes.to_rgb(bgra, PixelFormat.rgba8), bgra)
    grey = np.array([[[9, 200]]], np.uint16)
    np.testing.assert_array_equal(planes.to_rgb(grey, PixelFormat.graya16), [[[9, 9, 9, 200]]])
    assert planes.to_rgb(bgra, PixelFormat.laba16) is None


def test_8_bit_rgba_in_other_formats():
    rgba = np.array([[255, 51, 0, 102]], np.uint8)
    for pixel_format, expected in (
        (PixelFormat.rgba8, [255, 51, 0, 102]),
        (PixelFormat.bgra16, [0, 51 * 257, 65535, 102 * 257]),
        (PixelFormat.rgb16, [65535, 51 * 257, 0]),
        (PixelFormat.rgbaf32, np.array([1, 0.2, 0, 0.4], np.float32)),
        (PixelFormat.graya8, [91, 102]),
    ):
        found = planes.from_rgba(rgba, pixel_format)
        assert found is not None and found.dtype == planes.dtype_of(pixel_format)
        np.testing.assert_array_equal(found, [expected])
    assert planes.from_rgba(rgba, PixelFormat.cmyka8) is None


def ink(pixel_format: PixelFormat, dark: tuple[float, ...], light: tuple[float, ...]) -> np.ndarray:
    pixels = np.array([[dark, light]], planes.dtype_of(pixel_format))
    return planes.to_line(pixels, pixel_format)[0, :, 0] / 65535


@pytest.mark.parametrize(
    ("pixel_format", "dark", "light"),
    [
        (PixelFormat.cmyka16, (0, 0, 0, 65535, 65535), (0, 0, 0, 0, 65535)),
        (PixelFormat.cmykaf32, (0, 0, 0, 100, 1), (0, 0, 0, 0, 1)),
        (PixelFormat.laba16, (0, 32768, 32768, 65535), (65535, 32768, 32768, 65535)),
        (PixelFormat.labaf32, (0, 0, 0, 1), (100, 0, 0, 1)),
        (PixelFormat.xyzaf32, (0, 0, 0, 1), (0.96, 1, 0.82, 1)),
        (PixelFormat.ycbcra16, (0, 32768, 32768, 65535), (65535, 32768, 32768, 65535)),
        (PixelFormat.rgbaf32, (0, 0, 0, 1), (1, 1, 1, 1)),
    ],
)
def test_dark_is_dark_and_light_is_light_in_every_space(pixel_format, dark, light):
    np.testing.assert_allclose(ink(pixel_format, dark, light), [0, 1])


def test_float_line_art_that_is_no_number():
    pixels = np.array([[[np.nan, np.inf, -np.inf, 2.0]]], np.float32)
    line = planes.to_line(pixels, PixelFormat.rgbaf32)
    np.testing.assert_array_equal(line, [[[0, 65535, 0, 65535]]])


def test_16_bits_become_the_nearest_8():
    values = np.arange(65536, dtype=np.uint16)
    found = planes.eight_bit(values)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.rint(values / 257.0))
    assert found[[511, 65400]].tolist() == [2, 254]
    rgb = planes.eight_bit_rgb(np.array([[511, 65400]], np.uint16))
    assert rgb.tolist() == [[[2, 2, 2], [254, 254, 254]]]
    assert planes.eight_bit(found) is found

from __future__ import annotations

import io as standard_io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.imaging import io, png
from protocol.errors import ErrorCode, NuriError
from tests.backend.imaging import files

WIDTH, HEIGHT = 37, 21
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
OPAQUE = [(c, d, False) for c in (0, 3) for d in (1, 2, 4, 8)] + [(c, 8, False) for c in (2, 4, 6)]
KEYED = [(colour_type, depth, True) for colour_type, depth, _ in OPAQUE if colour_type < 4]


def random_rows(colour_type: int, depth: int) -> bytes:
    stride = (WIDTH * CHANNELS[colour_type] * depth + 7) // 8
    return np.random.default_rng(depth).integers(0, 256, stride * HEIGHT, np.uint8).tobytes()


def by_pillow(data: bytes, *, transparent: bool) -> np.ndarray:
    """The same file as Pillow reads it, grey where it is grey."""
    image = Image.open(standard_io.BytesIO(data))
    grey = image.mode in ("1", "L") and not transparent
    alpha = transparent or image.mode == "LA" or image.mode == "RGBA"
    return np.asarray(image.convert("L" if grey else "RGBA" if alpha else "RGB"))


@pytest.mark.parametrize(("colour_type", "depth", "transparent"), OPAQUE + KEYED)
def test_every_kind_up_to_8_bit_as_pillow_reads_it(colour_type, depth, transparent):
    palette = np.random.default_rng(7).integers(0, 256, (1 << depth, 3), np.uint8).tobytes()
    before = files.chunk(b"PLTE", palette) if colour_type == 3 else b""
    rows = random_rows(colour_type, depth)
    if transparent:
        keys = {0: struct.pack(">H", 1), 2: struct.pack(">HHH", *rows[:3]), 3: bytes([0, 128])}
        before += files.chunk(b"tRNS", keys[colour_type])
    data = files.png(WIDTH, HEIGHT, depth, colour_type, rows, before)
    pixels = io.read_image(data, "drawing.png")
    assert pixels.dtype == np.uint8
    expected = by_pillow(data, transparent=transparent)
    if transparent and colour_type == 0:
        # Pillow compares the transparent grey with the stretched one; the standard does not.
        expected = expected.copy()
        expected[..., 3] = np.where(expected[..., 0] == 255 // ((1 << depth) - 1), 0, 255)
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("colour_type", [0, 2, 4, 6])
def test_16_bit_is_kept(colour_type):
    rows = random_rows(colour_type, 16)
    data = files.png(WIDTH, HEIGHT, 16, colour_type, rows)
    stored = np.frombuffer(rows, ">u2").reshape(HEIGHT, WIDTH, -1)
    if colour_type == 4:
        stored = stored[..., (0, 0, 0, 1)]
    pixels = io.read_image(data, "drawing.png")
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, stored[..., 0] if colour_type == 0 else stored)


def test_transparent_colour_of_16_bit_grey():
    grey = np.arange(12, dtype=">u2").reshape(3, 4)
    data = files.png(4, 3, 16, 0, grey.tobytes(), files.chunk(b"tRNS", struct.pack(">H", 5)))
    pixels = io.read_image(data, "drawing.png")
    assert pixels.shape == (3, 4, 4)
    np.testing.assert_array_equal(pixels[..., 3], np.where(grey == 5, 0, 65535))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4), (1, 1, 3), (1, 300, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_encoding_keeps_every_bit(shape, dtype):
    pixels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    again = io.read_image(io.encode_png(pixels), "result.png")
    assert again.dtype == dtype
    np.testing.assert_array_equal(again, pixels)


def test_result_is_read_by_others_and_keeps_the_profile():
    pixels = np.random.default_rng(1).integers(0, 256, (9, 8, 4), np.uint8)
    profile = b"profile " * 40
    data = io.encode_png(pixels, profile)
    image = Image.open(standard_io.BytesIO(data))
    np.testing.assert_array_equal(np.asarray(image), pixels)
    assert image.info["icc_profile"] == profile
    assert png.profile(png.read_chunks(data, "result.png")) == profile


def test_exif_orientation_of_png():
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    stream = standard_io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(stream, "PNG", exif=exif)
    turned = io.read_image(stream.getvalue(), "drawing.png")
    np.testing.assert_array_equal(turned, np.rot90(pixels, -1))


@pytest.mark.parametrize(
    ("width", "height"),
    [(20_001, 10), (10, 20_001), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (100_000, 100_000)],
)
def test_bombs_are_refused_from_the_header(width, height):
    with pytest.raises(NuriError) as caught:
        io.read_image(files.png_claiming(width, height), "bomb.png")
    assert caught.value.code is ErrorCode.too_large
    assert f"bomb.png says that it is {width} x {height}" in str(caught.value)


def test_longest_strip_is_read():
    data = files.png(20_000, 20, 8, 0, bytes(20_000 * 20))
    assert io.read_image(data, "strip.png").shape == (20, 20_000)


def whole_file() -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (60, 60, 3), np.uint8)
    return io.encode_png(pixels)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_cut_files_name_the_file(share, capfd):
    data = whole_file()
    with pytest.raises(NuriError) as caught:
        io.read_image(data[: int(len(data) * share)], "page.png")
    assert caught.value.code is ErrorCode.bad_input
    assert "page.png" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_damage_inside_is_noticed():
    data = bytearray(whole_file())
    data[len(data) // 2] ^= 0x55
    with pytest.raises(NuriError, match=r"page\.png is damaged"):
        io.read_image(bytes(data), "page.png")


def test_pixels_that_end_too_early_are_damage():
    header = struct.pack(">IIBBBBB", 50, 50, 8, 2, 0, 0, 0)
    data = files.SIGNATURE + files.chunk(b"IHDR", header)
    data += files.chunk(b"IDAT", zlib.compress(bytes(100))) + files.chunk(b"IEND", b"")
    with pytest.raises(NuriError, match=r"page\.png"):
        io.read_image(data, "page.png")


def test_profile_bomb_is_left_out():
    content = b"x\0\0" + zlib.compress(bytes(64 * 1024 * 1024), 9)
    data = files.png(2, 2, 8, 0, bytes(4), files.chunk(b"iCCP", content))
    picture = io.read_picture(data, "page.png")
    assert (picture.icc, picture.pixels.shape) == (b"", (2, 2))
    assert "page.png has a broken colour profile" in picture.warning


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_hostile_bytes_give_a_picture_or_a_named_error(data):
    content = bytearray(whole_file()[:400] + whole_file()[-40:])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(8, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    assert files.pixels_or_error(bytes(content), "page.png").ndim in (1, 2, 3)


def test_chunks_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(png, "_MOST_CHUNKS", 100)
    header = struct.pack(">IIBBBBB", 5, 5, 8, 0, 0, 0, 0)
    data = files.SIGNATURE + files.chunk(b"IHDR", header) + files.chunk(b"tEXt", b"") * 200
    with pytest.raises(NuriError, match=r"page\.png is damaged"):
        io.read_image(data, "page.png")

"""Pictures: formats, lengths, and no copies."""

from __future__ import annotations

import pytest

from protocol import limits
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat


@pytest.mark.parametrize(
    ("name", "channels", "size", "alpha", "kind"),
    [
        ("gray8", 1, 1, False, "uint"),
        ("gray16", 1, 2, False, "uint"),
        ("graya8", 2, 1, True, "uint"),
        ("graya16", 2, 2, True, "uint"),
        ("grayaf32", 2, 4, True, "float"),
        ("rgb8", 3, 1, False, "uint"),
        ("rgb16", 3, 2, False, "uint"),
        ("rgba8", 4, 1, True, "uint"),
        ("rgba16", 4, 2, True, "uint"),
        ("rgbaf16", 4, 2, True, "float"),
        ("rgbaf32", 4, 4, True, "float"),
        ("bgra8", 4, 1, True, "uint"),
        ("bgra16", 4, 2, True, "uint"),
        ("cmyka8", 5, 1, True, "uint"),
        ("cmyka16", 5, 2, True, "uint"),
        ("cmykaf32", 5, 4, True, "float"),
        ("laba16", 4, 2, True, "uint"),
        ("labaf32", 4, 4, True, "float"),
        ("xyzaf32", 4, 4, True, "float"),
        ("ycbcra8", 4, 1, True, "uint"),
        ("ycbcra16", 4, 2, True, "uint"),
        ("index8", 1, 1, False, "uint"),
        ("index16", 1, 2, False, "uint"),
        ("index32", 1, 4, False, "uint"),
    ],
)
def test_formats(name: str, channels: int, size: int, alpha: bool, kind: str) -> None:
    pixel = PixelFormat(name)
    assert (pixel.channels, pixel.bytes_per_channel) == (channels, size)
    assert pixel.bytes_per_pixel == channels * size
    assert (pixel.has_alpha, pixel.kind) == (alpha, kind)


def test_all_formats_are_listed_above() -> None:
    assert len(PixelFormat) == 24


def test_data_is_a_view_of_what_was_given() -> None:
    data = bytearray(12)
    buffer = PixelBuffer("line", 2, 2, PixelFormat.rgb8, data)
    data[5] = 77
    assert isinstance(buffer.data, memoryview)
    assert buffer.data[5] == 77
    assert buffer.data.obj is data


def test_a_view_of_several_dimensions_becomes_flat() -> None:
    view = memoryview(bytearray(24)).cast("H", (2, 2, 3))
    buffer = PixelBuffer("line", 2, 2, PixelFormat.rgb16, view)
    assert isinstance(buffer.data, memoryview)
    assert (buffer.data.ndim, len(buffer.data)) == (1, 24)


def test_a_view_with_gaps_is_refused() -> None:
    with pytest.raises(NuriError, match="contiguous"):
        PixelBuffer("line", 2, 2, PixelFormat.gray8, memoryview(bytes(8))[::2])
    with pytest.raises(NuriError, match="contiguous"):
        PixelBuffer("line", 2, 2, PixelFormat.gray8, "text")  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [0, 11, 13, 24])
def test_the_length_must_fit(length: int) -> None:
    with pytest.raises(NuriError, match="line holds") as caught:
        PixelBuffer("line", 2, 2, PixelFormat.rgb8, bytes(length))
    assert caught.value.code is ErrorCode.malformed


@pytest.mark.parametrize(
    ("width", "height", "code"),
    [
        (0, 5, ErrorCode.malformed),
        (5, -1, ErrorCode.malformed),
        (limits.SIDE + 1, 1, ErrorCode.too_large),
        (1, limits.SIDE + 1, ErrorCode.too_large),
        (limits.SIDE, limits.SIDE, ErrorCode.too_large),
        (2**40, 1, ErrorCode.malformed),
        (True, 1, ErrorCode.malformed),
        (1.0, 1, ErrorCode.malformed),
    ],
)
def test_sides_are_bounded(width: int, height: int, code: ErrorCode) -> None:
    with pytest.raises(NuriError, match="line") as caught:
        PixelBuffer("line", width, height, PixelFormat.gray8, b"x")
    assert caught.value.code is code


def test_the_longest_side_is_taken() -> None:
    PixelBuffer("line", limits.SIDE, 20, PixelFormat.gray8, bytes(limits.SIDE * 20))
    PixelBuffer("line", 1, 1, PixelFormat.gray8, b"x")


def test_one_picture_is_bounded_in_bytes() -> None:
    # 16384 x 16384 pixels are allowed, but not with 16 bytes each.
    with pytest.raises(NuriError, match="bytes") as caught:
        PixelBuffer("line", 16384, 16384, PixelFormat.rgbaf32, b"x")
    assert caught.value.code is ErrorCode.too_large


def test_an_unknown_format_is_unsupported() -> None:
    with pytest.raises(NuriError, match="rgb565") as caught:
        PixelBuffer("line", 1, 1, "rgb565", b"xx")  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.unsupported


def test_file_names_that_are_no_unicode_travel_replaced() -> None:
    image = EncodedImage("line", "caf\udce9.png", b"x")
    assert image.file_name == "caf?.png"


def test_equal_pictures_are_equal() -> None:
    one = PixelBuffer("line", 2, 1, PixelFormat.gray8, b"ab")
    assert one == PixelBuffer("line", 2, 1, PixelFormat.gray8, bytearray(b"ab"))
    assert one != PixelBuffer("line", 2, 1, PixelFormat.gray8, b"ac")

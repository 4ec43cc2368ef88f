from __future__ import annotations

import io as standard_io

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from backend.imaging import io
from protocol.errors import ErrorCode, NuriError
from tests.backend.imaging import files

RGB = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
RGB[10:30] = (200, 30, 90)
RGBA = np.dstack([RGB, np.random.default_rng(1).integers(0, 256, (40, 56), np.uint8)])


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = standard_io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    stream = standard_io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "L", {}),
        ("JPEG", "RGB", {"quality": 95}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "CMYK", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGB", {"quality": 80}),
        ("WEBP", "RGBA", {"lossless": True, "exact": True}),
        ("TIFF", "1", {}),
        ("TIFF", "L", {}),
        ("TIFF", "P", {}),
        ("TIFF", "LA", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("TIFF", "RGB", {"compression": "jpeg"}),
        ("TIFF", "RGBA", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", "CMYK", {}),
    ],
)
def test_8_bit_files_as_pillow_reads_them(kind, mode, options):
    data = saved(Image.fromarray(RGBA).convert(mode), kind, **options)
    image = Image.open(standard_io.BytesIO(data))
    kept = {"L": "L", "1": "L", "LA": "RGBA", "RGBA": "RGBA"}
    pixels = io.read_image(data, f"page.{kind.lower()}")
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.asarray(image.convert(kept.get(mode, "RGB"))))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"tile": (32, 32)},
        {"byteorder": ">"},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_16_bit_tiff_is_kept(channels, options):
    pixels = (
        np.random.default_rng(channels).integers(0, 65536, (48, 70, channels)).astype(np.uint16)
    )
    stored = pixels[..., 0] if channels == 1 else pixels
    extra = {2: ["unassalpha"], 4: ["unassalpha"]}.get(channels)
    photometric = "rgb" if channels > 2 else "minisblack"
    data = tiff(stored, photometric=photometric, extrasamples=extra, **options)
    expected = pixels[..., (0, 0, 0, 1)] if channels == 2 else stored
    result = io.read_image(data, "page.tif")
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, expected)


def test_16_bit_tiff_in_planes_and_with_multiplied_alpha():
    pixels = np.random.default_rng(5).integers(0, 65536, (3, 20, 30)).astype(np.uint16)
    data = tiff(pixels, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(io.read_image(data, "page.tif"), np.moveaxis(pixels, 0, 2))
    half = np.full((4, 4, 4), 32768, np.uint16)
    half[..., :3] = 16384
    data = tiff(half, photometric="rgb", extrasamples=["assocalpha"])
    assert abs(int(io.read_image(data, "page.tif")[0, 0, 0]) - 32767) <= 1


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize(
    ("kinds", "alpha"),
    [
        (["unspecified"], None),
        (["unspecified", "unassalpha"], 1),
        (["unassalpha", "unspecified"], 0),
        (["unspecified", "unspecified"], None),
    ],
    ids=str,
)
def test_channels_of_a_16_bit_tiff_that_are_no_transparency(colours, kinds, alpha):
    """Spot colours and masks lie behind the colours, too."""
    shape = (20, 30, colours + len(kinds))
    pixels = np.random.default_rng(7).integers(0, 65536, shape).astype(np.uint16)
    photometric = "rgb" if colours == 3 else "minisblack"
    data = tiff(pixels, photometric=photometric, extrasamples=kinds, planarconfig="contig")
    expected = pixels[..., :colours]
    if alpha is not None:
        expected = np.dstack([np.broadcast_to(expected, (20, 30, 3)), pixels[..., colours + alpha]])
    found = io.read_image(data, "page.tif")
    np.testing.assert_array_equal(found, expected[..., 0] if expected.shape[2] == 1 else expected)


def test_a_16_bit_tiff_that_does_not_name_its_fourth_channel():
    """As OpenCV writes RGBA; with 8 bits it is transparency, too."""
    import cv2

    pixels = np.random.default_rng(8).integers(0, 65536, (20, 30, 4)).astype(np.uint16)
    done, data = cv2.imencode(".tif", pixels[..., (2, 1, 0, 3)])
    assert done
    np.testing.assert_array_equal(io.read_image(data.tobytes(), "page.tif"), pixels)


def test_lzw_16_bit_tiff(tmp_path):
    import cv2

    pixels = np.random.default_rng(6).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    path = tmp_path / "page.tif"
    assert cv2.imwrite(str(path), pixels[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    np.testing.assert_array_equal(io.read_image(path.read_bytes(), "page.tif"), pixels)


def test_float_tiff_is_refused_with_a_remedy():
    data = tiff(np.zeros((4, 4, 3), np.float32), photometric="rgb")
    with pytest.raises(NuriError, match=r"page\.tif .* \(Save it with 8 or 16 bits a channel\)"):
        io.read_image(data, "page.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
def test_exif_orientation(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    options |= {"lossless": True} if kind == "WEBP" else {}
    data = saved(Image.fromarray(RGB), kind, exif=exif, **options)
    upright = ImageOps.exif_transpose(Image.open(standard_io.BytesIO(data)))
    np.testing.assert_array_equal(io.read_image(data, "page"), np.asarray(upright))


def test_orientation_of_a_16_bit_tiff():
    pixels = np.arange(24, dtype=np.uint16).reshape(4, 6)
    data = tiff(pixels, extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(io.read_image(data, "page.tif"), np.rot90(pixels, -1))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.8])
def test_cut_files_name_the_file_and_are_silent(kind, share, capfd):
    data = saved(Image.fromarray(RGB), kind)
    with pytest.raises(NuriError) as caught:
        io.read_image(data[: int(len(data) * share)], "page.x")
    assert caught.value.code is ErrorCode.bad_input
    assert "page.x" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_sizes_are_refused_from_the_header():
    jpeg = bytearray(saved(Image.fromarray(RGB), "JPEG"))
    frame = jpeg.index(b"\xff\xc0") + 5
    jpeg[frame : frame + 4] = (65_000).to_bytes(2, "big") * 2
    webp = bytearray(saved(Image.fromarray(RGB), "WEBP", lossless=True))
    webp[21:25] = (0x3FFF | 0x3FFF << 14).to_bytes(4, "little")  # 16384 x 16384 = 2^28 is allowed
    big = saved(Image.fromarray(RGB), "TIFF")
    place = big.index((256).to_bytes(2, "little") + (4).to_bytes(2, "little"))
    tif = big[: place + 8] + (1_000_000).to_bytes(4, "little") + big[place + 12 :]
    for data, name in ((bytes(jpeg), "a.jpg"), (tif, "a.tif")):
        with pytest.raises(NuriError) as caught:
            io.read_image(data, name)
        assert caught.value.code is ErrorCode.too_large
        assert name in str(caught.value)
    with pytest.raises(NuriError, match=r"a\.webp"):
        io.read_image(bytes(webp), "a.webp")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello, this is no picture", "is no picture"),
        (b"GIF89a" + bytes(40), "is no picture"),
        (b"%PDF-1.7", "is no picture"),
        (b"PK\x03\x04", "cannot be read"),
    ],
)
def test_other_files_are_told_what_is_read(data, words):
    with pytest.raises(NuriError) as caught:
        io.read_image(data, "notes.png")
    assert "notes.png" in str(caught.value)
    assert words in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["JPEG", "WEBP", "TIFF"]), st.data())
def test_hostile_bytes_give_a_picture_or_a_named_error(kind, data):
    content = bytearray(saved(Image.fromarray(RGB), kind))
    for _ in range(data.draw(st.integers(1, 5))):
        top = len(content) - 1 if data.draw(st.booleans()) else min(200, len(content) - 1)
        content[data.draw(st.integers(4, top))] = data.draw(st.integers(0, 255))
    assert files.pixels_or_error(bytes(content), "page.x").ndim in (1, 2, 3)

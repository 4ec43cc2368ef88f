"""Colour profiles of picture files: found in each kind, judged, and values converted."""

from __future__ import annotations

import io as standard_io

import numpy as np
import pytest
import tifffile
from PIL import Image

from backend.imaging import icc, io
from backend.imaging.profile import encode_srgb, read_profile, to_srgb
from protocol.errors import ErrorCode, NuriError
from tests.backend.imaging import files
from tests.backend.imaging.profiles import BROKEN, INKS, LINEAR_GREY, SRGB, WIDE

RGB = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
GREY = RGB[..., 0].copy()


def saved(kind: str, pixels: np.ndarray, profile: bytes | None, mode: str | None = None) -> bytes:
    stream = standard_io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(stream, kind, icc_profile=profile)
    return stream.getvalue()


def deep_tiff(profile: bytes) -> bytes:
    stream = standard_io.BytesIO()
    tag = (34675, "B", len(profile), profile, True)
    pixels = RGB.astype(np.uint16) * 257
    tifffile.imwrite(stream, pixels, photometric="rgb", extratags=[tag])
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("pixels", [RGB, GREY], ids=["rgb", "grey"])
def test_every_kind_of_file_keeps_its_profile(kind: str, pixels: np.ndarray):
    picture = io.read_picture(saved(kind, pixels, WIDE), "page")
    assert (picture.icc, picture.warning) == (WIDE, "")
    plain = saved(kind, pixels, None)
    picture = io.read_picture(plain, "page")
    assert (picture.icc, picture.warning) == (b"", "")
    np.testing.assert_array_equal(picture.pixels, io.read_image(plain, "page"))


def test_a_tiff_of_16_bit_keeps_its_profile():
    picture = io.read_picture(deep_tiff(WIDE), "page.tif")
    assert (picture.icc, picture.pixels.dtype) == (WIDE, np.uint16)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_broken_profile_is_left_out_with_a_warning(kind: str):
    data = saved(kind, RGB, BROKEN)
    picture = io.read_picture(data, "page")
    assert picture.icc == b""
    assert picture.warning == "page has a broken colour profile: its colours are taken as sRGB"
    np.testing.assert_array_equal(picture.pixels, io.read_image(data, "page"))


def test_a_jpeg_that_has_lost_a_part_of_its_profile_and_one_far_too_large(monkeypatch):
    whole = saved("JPEG", RGB, WIDE + bytes(70_000))
    at = whole.index(b"ICC_PROFILE\0\2")
    size = int.from_bytes(whole[at - 2 : at], "big")
    cut = whole[: at - 4] + whole[at - 2 + size :]
    assert io.read_picture(cut, "page.jpg").warning
    monkeypatch.setattr("backend.imaging.raster.PROFILE_BYTES", len(WIDE) - 1)
    assert io.read_picture(saved("TIFF", RGB, WIDE), "page.tif").warning


def test_the_profile_of_other_inks_is_none_of_rgb_values():
    profile = bytearray(WIDE)
    profile[16:20] = b"CMYK"
    picture = io.read_picture(saved("JPEG", RGB, bytes(profile), "CMYK"), "page.jpg")
    assert (picture.icc, picture.warning) == (b"", "")


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_are_shown_as_their_profile_says(kind: str):
    inks = Image.new("CMYK", (64, 16))
    for place, ink in enumerate([(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 0, 255)]):
        inks.paste(ink, (16 * place, 0, 16 * place + 16, 16))

    def read(profile: bytes | None) -> np.ndarray:
        stream = standard_io.BytesIO()
        inks.save(stream, kind, icc_profile=profile)
        picture = io.read_picture(stream.getvalue(), "page")
        assert picture.icc == b""
        return picture.pixels[8, 8::16].astype(int)

    plain, shown = read(None), read(INKS)
    white, cyan, magenta, black = shown
    assert white.min() == 255 and black.max() <= 2
    np.testing.assert_allclose(plain[1:3], [(0, 255, 255), (255, 0, 255)], atol=2)
    # Lab 62, -30, -40 and 54, 60, 0 in sRGB
    np.testing.assert_allclose(cyan, (0, 167, 220), atol=4)
    np.testing.assert_allclose(magenta, (218, 75, 132), atol=4)


def test_cmyk_with_transparency_is_refused_with_a_remedy():
    stream = standard_io.BytesIO()
    pixels = np.zeros((8, 9, 5), np.uint8)
    tifffile.imwrite(stream, pixels, photometric="separated", extrasamples=["unassalpha"])
    with pytest.raises(
        NuriError, match=r"page\.tif is a CMYK TIFF .* \(Save it as RGB\)"
    ) as caught:
        io.read_image(stream.getvalue(), "page.tif")
    assert caught.value.code is ErrorCode.unsupported


@pytest.mark.parametrize(
    ("kind", "profile", "mode"),
    [("PNG", WIDE, "RGBA"), ("TIFF", WIDE, "RGB"), ("PNG", LINEAR_GREY, "L")],
)
def test_a_file_of_another_profile_becomes_one_of_srgb(kind: str, profile: bytes, mode: str):
    data = saved(kind, GREY if mode == "L" else RGB, profile, mode)
    found, warning = io.as_srgb(data, "page")
    assert warning == ""
    picture = io.read_picture(found, "page")
    assert picture.icc == b""
    expected = io.read_image(data, "page").copy()
    to_srgb(expected if expected.ndim == 3 else expected[..., None], read_profile(profile))
    bright = RGB.min(-1) > 40
    assert np.abs(picture.pixels.astype(int) - expected)[bright].max() <= 2
    assert np.abs(picture.pixels.astype(int) - io.read_image(data, "page")).max() > 20


@pytest.mark.parametrize("profile", [None, SRGB, BROKEN])
def test_a_file_of_srgb_or_of_no_known_profile_stays_itself(profile: bytes | None):
    data = saved("PNG", RGB, profile)
    found, warning = io.as_srgb(data, "page.png")
    assert found is data
    assert ("broken colour profile" in warning) == (profile is BROKEN)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_of_a_grey_profile_becomes_srgb(mode: str):
    picture = io.read_picture(saved("PNG", GREY, LINEAR_GREY, mode), "page.png")
    assert (picture.icc, picture.warning) == (b"", "")
    grey = picture.pixels if mode == "L" else picture.pixels[..., 1]
    assert np.abs(grey - encode_srgb(GREY / 255) * 255).max() <= 0.51
    of_colours = files.png(*RGB.shape[1::-1], 8, 2, RGB.tobytes())
    pixels, profile, sound = icc.settle(io.read_image(of_colours, "page.png"), LINEAR_GREY)
    assert (profile, sound) == (b"", False)
    np.testing.assert_array_equal(pixels, RGB)


def test_conversion_agrees_with_the_formula_and_leaves_alpha():
    rgba = np.dstack([RGB, GREY])
    expected = rgba.copy()
    to_srgb(expected, read_profile(WIDE))
    convert = icc.conversion(WIDE, b"")
    assert convert
    found = convert(rgba)
    # around black the curve of sRGB is steep, and tables of 8 bit are coarse
    assert np.abs(found.astype(int) - expected)[RGB.min(-1) > 40].max() <= 2
    np.testing.assert_array_equal(found[..., 3], GREY)


def test_srgb_by_any_name_is_not_converted():
    for one in (b"", SRGB):
        for other in (b"", SRGB):
            assert icc.conversion(one, other) is None
    assert icc.conversion(WIDE, WIDE) is None
    assert icc.conversion(b"", WIDE)
    with pytest.raises(ValueError):
        icc.conversion(WIDE, BROKEN)


def test_the_merged_picture_of_a_layered_file_is_srgb():
    stack = b'<image w="56" h="40"><stack><layer name="one" src="one.png"/></stack></image>'
    one = saved("PNG", RGB, WIDE)
    merged = {"stack.xml": stack, "one.png": one, "mergedimage.png": one}
    data = files.archive(merged)
    layer, whole = (io.read_image(data, "page.ora", name) for name in ("one", ""))
    assert (whole != RGB).any()
    np.testing.assert_array_equal(whole, layer[..., :3])
    grey = files.archive(merged | {"mergedimage.png": saved("PNG", GREY, LINEAR_GREY)})
    found = io.read_image(grey, "page.ora")
    assert np.abs(found - encode_srgb(GREY / 255) * 255).max() <= 0.51

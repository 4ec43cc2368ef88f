from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageCms

from backend.imaging.profile import Profile, decode_srgb, encode_srgb, read_profile, to_srgb

ADOBE_COLORANTS = {"rXYZ": (0.60974, 0.31111, 0.01947), "gXYZ": (0.20528, 0.62567, 0.06087)}
ADOBE_COLORANTS["bXYZ"] = (0.14919, 0.06322, 0.74457)


def icc(curve: bytes, colorants: dict[str, tuple[float, float, float]]) -> bytes:
    """A matrix profile with one curve for all three channels."""
    tags = {name.encode(): curve for name in ("rTRC", "gTRC", "bTRC")}
    for name, xyz in colorants.items():
        numbers = [round(value * 65536) for value in xyz]
        tags[name.encode()] = b"XYZ \0\0\0\0" + struct.pack(">3i", *numbers)
    table, content = b"", b""
    start = 132 + 12 * len(tags)
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, start + len(content), len(tag))
        content += tag
    header = bytearray(128)
    header[12:24] = b"mntrRGB XYZ "
    header[36:40] = b"acsp"
    data = bytes(header) + struct.pack(">I", len(tags)) + table + content
    return len(data).to_bytes(4, "big") + data[4:]


def pixels(dtype: type = np.uint8) -> np.ndarray:
    random = np.random.default_rng(2)
    return random.integers(0, np.iinfo(dtype).max + 1, (70, 5, 4)).astype(dtype)


def test_srgb_profile_changes_nothing():
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    before = pixels()
    after = before.copy()
    to_srgb(after, read_profile(data))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_adobe_rgb_by_the_published_formula(dtype):
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.19921875 * 256))
    before = pixels(dtype)
    after = before.copy()
    to_srgb(after, read_profile(icc(gamma, ADOBE_COLORANTS)))
    top = np.iinfo(dtype).max
    matrix = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])
    linear = (before[..., :3] / top) ** 2.19921875 @ matrix.T
    expected = encode_srgb(linear) * top
    # The dark end of sRGB is steep, so what rounding the matrix to five digits does shows there.
    assert np.abs(after[..., :3] - expected).max() <= (1.5 if dtype == np.uint8 else 350)
    np.testing.assert_array_equal(after[..., 3], before[..., 3])


def test_linear_light_is_brightened():
    profile = Profile((np.linspace(0, 1, 65536),), None)
    grey = np.full((1, 1, 4), 128 * 257, np.uint16)
    to_srgb(grey, profile)
    assert abs(grey[0, 0, 0] / 65535 - encode_srgb(np.array(128 / 255))) < 1e-4
    assert grey[0, 0, 3] == 128 * 257


def test_parametric_curve_of_srgb_changes_nothing():
    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    para = b"para\0\0\0\0" + struct.pack(">HH5i", 3, 0, *(round(n * 65536) for n in numbers))
    srgb = {"rXYZ": (0.43607, 0.22249, 0.01392), "gXYZ": (0.38515, 0.71687, 0.09708)}
    srgb["bXYZ"] = (0.14307, 0.06061, 0.71410)
    before = pixels()
    after = before.copy()
    to_srgb(after, read_profile(icc(para, srgb)))
    np.testing.assert_array_equal(after, before)


def test_encode_and_decode_are_inverse():
    value = np.linspace(0, 1, 1000)
    np.testing.assert_allclose(encode_srgb(decode_srgb(value)), value, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 300))
def test_hostile_profiles_are_unknown_or_usable(data, cut):
    whole = icc(b"curv\0\0\0\0" + struct.pack(">I", 0), ADOBE_COLORANTS)
    for hostile in (data, whole[:cut] + data + whole[cut:]):
        profile = read_profile(hostile)
        to_srgb(pixels(), profile)


def test_tables_profile_is_unknown():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert read_profile(lab) is None

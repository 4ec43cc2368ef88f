from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageCms

from backend.imaging.profile import Profile, decode_srgb, encode_srgb, read_profile, to_srgb
from tests.backend.imaging.profiles import ADOBE_COLORANTS, SRGB, WIDE, icc


def pixels(dtype: type = np.uint8) -> np.ndarray:
    random = np.random.default_rng(2)
    return random.integers(0, np.iinfo(dtype).max + 1, (70, 5, 4)).astype(dtype)


def test_srgb_profile_changes_nothing():
    before = pixels()
    after = before.copy()
    to_srgb(after, read_profile(SRGB))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_adobe_rgb_by_the_published_formula(dtype):
    before = pixels(dtype)
    after = before.copy()
    to_srgb(after, read_profile(WIDE))
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

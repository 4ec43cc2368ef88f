"""ICC profiles for the tests: wide gamut, grey, and sRGB as two programs write it."""

from __future__ import annotations

import struct

from PIL import ImageCms

ADOBE_COLORANTS = {
    "rXYZ": (0.60974, 0.31111, 0.01947),
    "gXYZ": (0.20528, 0.62567, 0.06087),
    "bXYZ": (0.14919, 0.06322, 0.74457),
}


def gamma(power: float) -> bytes:
    """A curve tag."""
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(power * 256))


def icc(curve: bytes, colorants: dict[str, tuple[float, float, float]]) -> bytes:
    """A matrix profile with one curve for all three channels."""
    tags = {name.encode(): curve for name in ("rTRC", "gTRC", "bTRC")}
    for name, xyz in colorants.items():
        numbers = [round(value * 65536) for value in xyz]
        tags[name.encode()] = b"XYZ \0\0\0\0" + struct.pack(">3i", *numbers)
    return _packed(b"mntrRGB XYZ ", tags)


def _packed(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, content = b"", b""
    start = 132 + 12 * len(tags)
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, start + len(content), len(tag))
        content += tag
    header = bytearray(128)
    header[12:24] = kind
    header[36:40] = b"acsp"
    data = bytes(header) + struct.pack(">I", len(tags)) + table + content
    return len(data).to_bytes(4, "big") + data[4:]


WIDE = icc(gamma(563 / 256), ADOBE_COLORANTS)
LINEAR_GREY = _packed(b"mntrGRAYXYZ ", {b"kTRC": gamma(1.0)})
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
BROKEN = b"some profile" * 20

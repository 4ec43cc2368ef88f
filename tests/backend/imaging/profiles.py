"""ICC profiles for the tests: wide gamut, grey, inks, and sRGB as two programs write it."""

from __future__ import annotations

import struct
from itertools import product

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


def inks() -> bytes:
    """A profile of CMYK with duller inks than plain arithmetic has: a table of two steps each."""
    table = b""
    for cyan, magenta, yellow, black in product((0, 1), repeat=4):
        left = 1 - black
        light = left * (100 - 38 * cyan - 46 * magenta - 7 * yellow)
        red_green = left * (60 * magenta - 30 * cyan)
        yellow_blue = left * (70 * yellow - 40 * cyan)
        table += bytes((round(light * 2.55), 128 + red_green, 128 + yellow_blue))
    even = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lookup = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + even * 4 + table + even * 3
    return _packed(b"prtrCMYKLab ", {b"A2B0": lookup})


WIDE = icc(gamma(563 / 256), ADOBE_COLORANTS)
LINEAR_GREY = _packed(b"mntrGRAYXYZ ", {b"kTRC": gamma(1.0)})
INKS = inks()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
BROKEN = b"some profile" * 20

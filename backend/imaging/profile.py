"""Values of an ICC matrix or grey profile to sRGB, at any depth and exact where they are sRGB.

Krita's usual 16-bit and float documents hold linear light; shown as they are they would be far
too dark. Only one-dimensional curves and a matrix are read here, the kind that Krita paints in.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

# The colorants of sRGB as columns, adapted to D50 as ICC profiles store them.
_SRGB_D50 = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
_STEPS = 65536
_SAME_CURVE = 0.004  # a quarter step of 8 bit more than the rounding of published sRGB tables
_SAME_MATRIX = 0.005


@dataclass(frozen=True)
class Profile:
    """``curves``: value 0..1 to linear light, one or three tables of 65,536 entries.

    ``matrix``: linear values to linear sRGB, or None for grey.
    """

    curves: tuple[np.ndarray, ...]
    matrix: np.ndarray | None


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light 0..1 to sRGB values 0..1; clipped."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def decode_srgb(value: np.ndarray) -> np.ndarray:
    """sRGB values 0..1 to linear light 0..1."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


SRGB = Profile((decode_srgb(np.linspace(0.0, 1.0, _STEPS)),) * 3, np.eye(3))


def read_profile(icc: bytes) -> Profile | None:
    """The curves and matrix of an ICC profile, or None where it is built on look-up tables."""
    try:
        with np.errstate(all="ignore"):  # absurd gammas; what they give is clipped
            return _read_profile(icc)
    except (struct.error, ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError):
        return None


def alike(one: Profile | None, other: Profile | None) -> bool:
    """True where two RGB profiles are known and give a value one colour, but for rounding."""
    if one is None or other is None or one.matrix is None or other.matrix is None:
        return False
    curves = zip(one.curves, other.curves, strict=True)
    return np.allclose(one.matrix, other.matrix, atol=_SAME_MATRIX) and all(
        np.abs(encode_srgb(a) - encode_srgb(b)).max() < _SAME_CURVE for a, b in curves
    )


def _read_profile(icc: bytes) -> Profile | None:
    (count,) = struct.unpack_from(">I", icc, 128)
    tags = {}
    for index in range(min(count, 100)):
        name, offset, size = struct.unpack_from(">4sII", icc, 132 + 12 * index)
        tags[name] = icc[offset : offset + size]
    if b"kTRC" in tags:
        return Profile((_light(tags[b"kTRC"]),), None)
    if not all(name in tags for name in (b"rTRC", b"gTRC", b"bTRC", b"rXYZ", b"gXYZ", b"bXYZ")):
        return None
    curves = tuple(_light(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    colorants = np.array(columns, float).T / 65536
    return Profile(curves, np.linalg.inv(_SRGB_D50) @ colorants)


def _light(tag: bytes) -> np.ndarray:
    """Linear light 0..1 for 65,536 even steps of the value."""
    light: np.ndarray = np.clip(np.nan_to_num(_curve(tag)), 0.0, 1.0)
    return light


def _curve(tag: bytes) -> np.ndarray:
    value: np.ndarray = np.linspace(0.0, 1.0, _STEPS)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return value
        if count == 1:
            (gamma,) = struct.unpack_from(">H", tag, 12)
            return np.asarray(value ** (gamma / 256))
        table = np.frombuffer(tag, ">u2", count, 12) / 65535
        return np.asarray(np.interp(value, np.linspace(0.0, 1.0, count), table))
    if tag[:4] == b"para":
        return _parametric(tag, value)
    raise ValueError("unknown curve")


def _parametric(tag: bytes, value: np.ndarray) -> np.ndarray:
    (kind,) = struct.unpack_from(">H", tag, 8)
    lengths = (1, 3, 4, 5, 7)
    numbers = [n / 65536 for n in struct.unpack_from(f">{lengths[kind]}i", tag, 12)]
    gamma, a, b, c, d, e, f = (numbers + [1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(numbers) - 1 :])[:7]
    if kind == 1:
        d = -b / a
    elif kind == 2:
        d, e, f, c = -b / a, c, c, 0.0
    power = np.clip(a * value + b, 0.0, None) ** gamma + e
    return np.asarray(power if kind == 0 else np.where(value >= d, power, c * value + f))


def to_srgb(pixels: np.ndarray, profile: Profile | None) -> None:
    """Turn grey or the first three channels of uint8 or uint16 pixels into sRGB, in place.

    pixels: (H, W, 1, 3 or 4). Nothing changes where the profile is sRGB already, or unknown. A grey
    profile serves all three.
    """
    if profile is None:
        return
    colours = min(3, pixels.shape[2])
    curves = profile.curves if len(profile.curves) == 3 else profile.curves * 3
    top = np.iinfo(pixels.dtype).max
    grid = np.linspace(0.0, 1.0, _STEPS)
    encoded = [encode_srgb(curve) for curve in curves]
    same_light = profile.matrix is None or np.allclose(profile.matrix, np.eye(3), atol=_SAME_MATRIX)
    if same_light and all(np.abs(e - grid).max() < _SAME_CURVE for e in encoded):
        return
    steps = np.arange(top + 1) * ((_STEPS - 1) // top)
    if profile.matrix is None or same_light or colours == 1:
        for channel, table in enumerate(encoded[:colours]):
            lookup = np.round(table[steps] * top).astype(pixels.dtype)
            pixels[..., channel] = lookup[pixels[..., channel]]
        return
    tables = [curve[steps].astype(np.float32) for curve in curves]
    matrix = profile.matrix.astype(np.float32)
    for row in range(0, pixels.shape[0], 64):  # bands keep the float copy small
        band = pixels[row : row + 64]
        linear = np.stack([table[band[..., i]] for i, table in enumerate(tables)], axis=-1)
        band[..., :3] = np.round(encode_srgb(linear @ matrix.T) * top)

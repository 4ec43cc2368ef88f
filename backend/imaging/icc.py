"""ICC profiles of pictures: which can be used, and colours of one in another.

Values without a profile are sRGB, as viewers show them.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

from .ground import bands
from .profile import SRGB, alike, read_profile, to_srgb

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_BROKEN = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def settle(pixels: np.ndarray, icc: bytes | None) -> tuple[np.ndarray, bytes, bool]:
    """Pixels, the RGB profile of their values or b"" for sRGB, and False for a broken profile.

    pixels: (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16, as their file holds them; with a grey
    profile they become sRGB, in place. icc: the profile of the file, b"" for none, None for one
    that could not be read. A profile of other spaces is no longer that of RGB values, and left out.
    """
    space = _space(icc) if icc else ""
    if icc == b"" or space not in ("", "RGB", "GRAY"):
        return pixels, b"", True
    if icc is None or not space:
        return pixels, b"", False
    if space == "RGB":
        return pixels, icc, True
    if pixels.ndim == 3 and not (pixels[..., :1] == pixels[..., 1:3]).all():
        return pixels, b"", False
    to_srgb(pixels if pixels.ndim == 3 else pixels[..., None], read_profile(icc))
    return pixels, b"", True


def conversion(icc: bytes, target: bytes) -> Callable[[np.ndarray], np.ndarray] | None:
    """What turns values of one RGB profile into those of another, None where they are the same.

    Takes and gives (H, W, 3 or 4) uint8, alpha untouched. Raises ValueError where no values can be
    written in the ``target``.
    """
    if icc == target or alike(*(read_profile(one) if one else SRGB for one in (icc, target))):
        return None
    try:
        transform = _transform(icc, target)
    except _BROKEN as error:
        raise ValueError(str(error)) from error

    def convert(pixels: np.ndarray) -> np.ndarray:
        result = pixels.copy()
        for rows in bands(*pixels.shape[:2]):
            rgb = Image.fromarray(np.ascontiguousarray(pixels[rows, :, :3]))
            result[rows, :, :3] = np.asarray(transform.apply(rgb))
        return result

    return convert


def of_inks(image: Image.Image, icc: object) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of a CMYK picture; by plain arithmetic where ``icc``, what its file has
    for a profile, is none of CMYK.
    """
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION  # as painting programs do: all inks are black
    try:
        profile = _opened(icc if isinstance(icc, bytes) else b"")
        transform = ImageCms.ImageCmsTransform(
            profile, _opened(b""), "CMYK", "RGB", _INTENT, flags=flags
        )
    except _BROKEN:
        return np.array(image.convert("RGB"))
    return np.array(transform.apply(image))


def _space(icc: bytes) -> str:
    """ "RGB", "GRAY", "CMYK" or another; "" where no colours can be read with the profile."""
    try:
        space = _opened(icc).profile.xcolor_space.strip()
        if space == "RGB":
            _transform(icc, b"")
        return space
    except _BROKEN:
        return ""


def _transform(icc: bytes, target: bytes) -> ImageCms.ImageCmsTransform:
    return ImageCms.ImageCmsTransform(_opened(icc), _opened(target), "RGB", "RGB", _INTENT)


def _opened(icc: bytes) -> ImageCms.ImageCmsProfile:
    if not icc:
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.ImageCmsProfile(io.BytesIO(icc))

"""Pictures as bytes: bytes of a file to pixels, pixels to PNG.

The decoders are imported where they are needed: the thin commands of `nuri` read and write files
without waiting for NumPy and OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import ErrorCode, NuriError

if TYPE_CHECKING:
    import numpy as np

    from .layered import LayeredFile

_KINDS = {
    "png": lambda head: head[:8] == b"\x89PNG\r\n\x1a\n",
    "jpeg": lambda head: head[:3] == b"\xff\xd8\xff",
    "webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "tiff": lambda head: head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "layered": lambda head: head[:4] == b"PK\x03\x04",
}
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".kra", ".ora")


def kind_of(data: bytes | memoryview, file_name: str) -> str:
    """ "png", "jpeg", "webp", "tiff" or "layered", told by the content. Raises bad_input."""
    head = bytes(data[:16])
    for kind, matches in _KINDS.items():
        if matches(head):
            return kind
    from . import refusal

    what = "is empty" if not head else "is no picture that Nuri can read"
    raise NuriError(
        ErrorCode.bad_input, f"{file_name} {what}", f"Nuri reads {refusal.READABLE} files"
    )


def looks_readable(path: Path) -> bool:
    """True for a file name with an ending of a kind that `read_image` reads."""
    return path.suffix.lower() in _SUFFIXES


def is_layered(path: Path) -> bool:
    """True for a file name that ends in .kra or .ora."""
    return path.suffix.lower() in (".kra", ".ora")


def read_image(data: bytes | memoryview, file_name: str, layer: str = "") -> np.ndarray:
    """Decode a PNG, JPEG, WebP, TIFF, .kra or .ora file.

    (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA with straight alpha; uint8, or uint16 where the
    file has more than 8 bits a channel. ``layer``: a paint layer or group of a .kra or .ora file,
    "" is the merged picture; ignored for other files. Sizes are refused before anything is decoded.
    Raises bad_input, too_large, not_found (layer), unsupported, no_memory; each names the file.
    """
    kind = kind_of(data, file_name)
    if kind == "layered":
        layered = open_layered(data, file_name)
        return layered.layer(layer) if layer else layered.merged()
    if kind == "png":
        from . import png, raster

        chunks = png.read_chunks(data, file_name)
        pixels = png.decode(chunks, file_name)
        return raster.oriented(pixels, raster.orientation_of(png.exif(chunks)))
    from . import raster

    return raster.decode(data, file_name, kind)


@dataclass(frozen=True)
class Picture:
    """``pixels``: as `read_image` gives them. ``icc``: the RGB profile that their values belong to,
    b"" where they are sRGB. ``warning``: of a profile that was left out, or "".
    """

    pixels: np.ndarray
    icc: bytes = b""
    warning: str = ""


def read_picture(data: bytes | memoryview, file_name: str, layer: str = "") -> Picture:
    """`read_image` with the colours that the values mean; grey ones with a profile become sRGB."""
    pixels = read_image(data, file_name, layer)
    if kind_of(data, file_name) == "layered":
        return Picture(pixels)
    from . import icc

    pixels, profile, sound = icc.settle(pixels, _profile(data, file_name))
    broken = f"{file_name} has a broken colour profile: its colours are taken as sRGB"
    return Picture(pixels, profile, "" if sound else broken)


def _profile(data: bytes | memoryview, file_name: str) -> bytes | None:
    """The ICC profile of a picture that has been read, b"" for none, None where it is broken."""
    kind = kind_of(data, file_name)
    if kind == "layered":
        return b""
    from . import png, raster

    if kind == "png":
        return png.profile(png.read_chunks(data, file_name))
    return raster.profile(data, file_name, kind)


def as_srgb(data: bytes | memoryview, file_name: str) -> tuple[bytes | memoryview, str]:
    """The file itself, or a PNG of its colours in sRGB where it has another profile; and a warning
    of a profile that was left out, or "".

    RGB that had to be converted has 8 bits a channel. Raises as `read_image`.
    """
    picture = read_picture(data, file_name)
    if not _profile(data, file_name):
        return data, picture.warning
    from . import icc, planes

    try:
        convert = icc.conversion(picture.icc, b"")
    except ValueError:
        return data, f"the colours of {file_name} could not be converted to sRGB"
    if convert is not None:
        return encode_png(convert(planes.eight_bit_rgb(picture.pixels))), ""
    if picture.icc or picture.warning:
        return data, picture.warning
    return encode_png(picture.pixels), ""  # of a profile of grey or inks, converted when read


def open_layered(data: bytes | memoryview, file_name: str) -> LayeredFile:
    """A .kra or .ora file, to read several of its layers. Raises as `read_image`."""
    from .layered import LayeredFile

    return LayeredFile(data, file_name)


def encode_png(pixels: np.ndarray, icc: bytes = b"") -> bytes:
    """A PNG of (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16. Raises no_memory."""
    from . import png

    return png.encode(pixels, icc)

"""JPEG, WebP and TIFF through Pillow, and 16-bit TIFF through tifffile or OpenCV.

The classes of Pillow are opened directly: `PIL.Image.open` has a pixel limit of its own that
warns on standard error, and would try formats that are not wanted here.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin, TiffImagePlugin, WebPImagePlugin

from protocol.errors import NuriError

from . import icc, refusal
from .png import PROFILE_BYTES

_ORIENTATION = 0x0112
_INKS, _EXTRA_SAMPLES = 5, 338  # of TIFF: CMYK, and what channels there are beside the colours
_MULTIPLIED, _ALPHA = 1, 2  # of these channels, those that are transparency
_OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
}
# What stays as it is; any other mode of Pillow is converted to RGB, or to RGBA where it has alpha.
_PLAIN_MODES = ("L", "RGB", "RGBA")


def decode(data: bytes | memoryview, file_name: str, kind: str) -> np.ndarray:
    """The pixels of a ``kind`` in "jpeg", "webp", "tiff"; Exif orientation applied.

    (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint16 for TIFF of 16 bit, else uint8. CMYK
    becomes sRGB. Raises bad_input, unsupported, too_large, no_memory.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on odd tags; what matters is raised
            if kind == "tiff":
                tags = _tiff_tags(data, file_name)
                if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _INKS and any(
                    tags.get(_EXTRA_SAMPLES, ())
                ):
                    raise refusal.unsupported(
                        file_name, "is a CMYK TIFF with transparency", "Save it as RGB"
                    )
                if max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) > 8:
                    pixels = _deep_tiff(data, file_name, tags)
                    return oriented(pixels, tags.get(_ORIENTATION, 1))
            return _open(data, file_name, kind)
    except (NuriError, KeyboardInterrupt):
        raise
    except MemoryError as error:
        raise refusal.no_memory(file_name) from error
    except Exception as error:  # decoders meet broken files with any exception there is
        raise refusal.damaged(file_name, repr(error)) from error


def profile(data: bytes | memoryview, file_name: str, kind: str) -> bytes | None:
    """The ICC profile of a file that `decode` has read, b"" for none, None where it is broken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "tiff":
            found = _tiff_tags(data, file_name).get(TiffImagePlugin.ICCPROFILE, b"")
        else:
            with _OPENERS[kind](io.BytesIO(data)) as image:
                found = image.info.get("icc_profile", b"")
    return found if isinstance(found, bytes) and len(found) <= PROFILE_BYTES else None


def _open(data: bytes | memoryview, file_name: str, kind: str) -> np.ndarray:
    with _OPENERS[kind](io.BytesIO(data)) as image:
        refusal.check_size(image.width, image.height, file_name)
        # Pillow turns a TIFF on load by itself.
        orientation = image.getexif().get(_ORIENTATION, 1) if kind != "tiff" else 1
        if image.mode in _PLAIN_MODES:
            pixels = np.array(image)
        elif image.mode == "1":
            pixels = np.array(image.convert("L"))
        elif image.mode == "CMYK":
            pixels = icc.of_inks(image, image.info.get("icc_profile", b""))
        else:
            pixels = np.array(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    return oriented(pixels, orientation)


def oriented(pixels: np.ndarray, orientation: object) -> np.ndarray:
    """Turn and mirror by an Exif orientation 1..8, as every viewer shows the picture."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def orientation_of(exif: bytes) -> int:
    """The orientation 1..8 in an Exif block; 1 where there is none or it cannot be read."""
    table = Image.Exif()
    try:
        table.load(exif)
        return int(table.get(_ORIENTATION, 1))
    except (SyntaxError, ValueError, TypeError, KeyError, OSError):
        return 1


def _tiff_tags(data: bytes | memoryview, file_name: str) -> Any:
    """The first directory of a TIFF, its size checked, no pixel read."""
    stream = io.BytesIO(data)
    header = stream.read(8)
    if header[2] == 43:
        header += stream.read(8)
    tags = TiffImagePlugin.ImageFileDirectory_v2(header)
    stream.seek(tags.next)
    tags.load(stream)
    refusal.check_size(
        int(tags[TiffImagePlugin.IMAGEWIDTH]), int(tags[TiffImagePlugin.IMAGELENGTH]), file_name
    )
    return tags


def _deep_tiff(data: bytes | memoryview, file_name: str, tags: Any) -> np.ndarray:
    """uint16 pixels of a TIFF with 16 bit a channel."""
    if set(tags[TiffImagePlugin.BITSPERSAMPLE]) != {16} or set(tags.get(339, (1,))) != {1}:
        raise refusal.unsupported(
            file_name,
            f"is a TIFF of {max(tags[TiffImagePlugin.BITSPERSAMPLE])} bits or floating point",
            "Save it with 8 or 16 bits a channel",
        )
    import tifffile

    try:
        pixels = tifffile.imread(io.BytesIO(data), key=0)
    except ValueError as error:  # LZW and others, which OpenCV can unpack
        if "imagecodecs" not in str(error):
            raise
        pixels = _deep_tiff_opencv(data, file_name, tags)
    if pixels.ndim == 3 and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2:
        pixels = np.moveaxis(pixels, 0, 2)
    return _deep_channels(pixels, file_name, tags)


def _deep_tiff_opencv(data: bytes | memoryview, file_name: str, tags: Any) -> np.ndarray:
    channels = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    pixels = None
    if channels in (1, 3, 4) and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 1:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise refusal.unsupported(
            file_name, "is a TIFF packed in a way Nuri cannot read", "Save it without compression"
        )
    if pixels.ndim == 2:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGBA)


def _deep_channels(pixels: np.ndarray, file_name: str, tags: Any) -> np.ndarray:
    """Grey or RGB, with alpha or other channels behind, to what `decode` returns."""
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 1)
    if photometric == 0:
        pixels = 65535 - pixels
    elif photometric not in (1, 2):
        raise refusal.unsupported(
            file_name, "is a 16-bit TIFF in neither grey nor RGB", "Save it as RGB"
        )
    colours = 3 if photometric == 2 else 1
    if pixels.ndim == 2:
        return pixels
    colour = pixels[..., :colours]
    kinds = tags.get(_EXTRA_SAMPLES, (_ALPHA,))  # some programs write RGBA without the tag
    extra = next((n for n, kind in enumerate(kinds) if kind in (_MULTIPLIED, _ALPHA)), None)
    if extra is None or colours + extra >= pixels.shape[2]:
        return np.ascontiguousarray(colour if colours == 3 else colour[..., 0])
    alpha = pixels[..., colours + extra, None]
    if kinds[extra] == _MULTIPLIED:
        scaled = colour.astype(np.float64) * 65535 / np.maximum(alpha, 1)
        colour = np.minimum(np.round(scaled), 65535).astype(np.uint16)
    return np.concatenate([np.broadcast_to(colour, (*colour.shape[:2], 3)), alpha], axis=2)

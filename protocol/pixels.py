"""Pictures as they travel: raw pixels with their format, or the bytes of a picture file.

Knows neither NumPy nor Qt: ``data`` is any contiguous buffer and becomes a flat memoryview.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from . import checks, limits
from .errors import ErrorCode, NuriError


class PixelFormat(str, Enum):
    """Channel order, type and alpha of one pixel; little endian, rows without padding.

    ``f16`` and ``f32`` are IEEE floats, all others unsigned whole numbers. The letter ``a`` after
    the channels means that the last channel is a straight (not multiplied) alpha.
    """

    gray8 = "gray8"
    gray16 = "gray16"
    graya8 = "graya8"
    graya16 = "graya16"
    grayaf32 = "grayaf32"
    rgb8 = "rgb8"
    rgb16 = "rgb16"
    rgba8 = "rgba8"
    rgba16 = "rgba16"
    rgbaf16 = "rgbaf16"
    rgbaf32 = "rgbaf32"
    bgra8 = "bgra8"
    bgra16 = "bgra16"
    cmyka8 = "cmyka8"
    cmyka16 = "cmyka16"
    cmykaf32 = "cmykaf32"
    laba16 = "laba16"
    labaf32 = "labaf32"
    xyzaf32 = "xyzaf32"
    ycbcra8 = "ycbcra8"
    ycbcra16 = "ycbcra16"
    index8 = "index8"
    index16 = "index16"
    index32 = "index32"

    @property
    def channels(self) -> int:
        """Values of one pixel, alpha included."""
        return _LAYOUT[self.value][0]

    @property
    def bytes_per_channel(self) -> int:
        return _LAYOUT[self.value][1]

    @property
    def bytes_per_pixel(self) -> int:
        channels, size, _, _ = _LAYOUT[self.value]
        return channels * size

    @property
    def has_alpha(self) -> bool:
        """True when the last channel is alpha."""
        return _LAYOUT[self.value][2]

    @property
    def kind(self) -> str:
        """The word uint or float."""
        return _LAYOUT[self.value][3]


def _layout(name: str) -> tuple[int, int, bool, str]:
    """(channels, bytes per channel, has alpha, kind), read from the name of the format."""
    letters = name.rstrip("0123456789")
    bits = int(name[len(letters) :])
    is_float = letters.endswith("f")
    letters = letters.removesuffix("f")
    colours = {"gray": 1, "index": 1, "rgb": 3, "bgr": 3, "lab": 3, "xyz": 3, "ycbcr": 3, "cmyk": 4}
    has_alpha = letters not in colours
    channels = colours[letters.removesuffix("a") if has_alpha else letters] + has_alpha
    return channels, bits // 8, has_alpha, "float" if is_float else "uint"


_LAYOUT = {entry.value: _layout(entry.value) for entry in PixelFormat}


def _flat_view(data: Any, name: str) -> memoryview:
    """A read-through view of ``data`` as bytes, without copying. Raises malformed."""
    try:
        view = memoryview(data)
        return view if view.format == "B" and view.ndim == 1 and view.contiguous else view.cast("B")
    except (TypeError, ValueError):
        raise checks.malformed(f"the data of {name} is no contiguous buffer") from None


@dataclass(frozen=True)
class PixelBuffer:
    """Raw pixels, ``width`` x ``height``, top row first, rows without padding.

    ``x``, ``y``: place of the upper left corner in the whole picture, in pixels, for a crop.
    ``data``: any contiguous buffer; becomes a flat memoryview that keeps its owner alive. Do not
    change it before the job has ended: it is sent without a copy.
    Raises `NuriError`: malformed (wrong length), too_large (side, pixels or bytes).
    """

    name: str
    width: int
    height: int
    format: PixelFormat
    data: bytes | memoryview
    x: int = 0
    y: int = 0

    def __post_init__(self) -> None:
        checks.text(self.name, "the name of a picture", limits.NAME, empty=False)
        object.__setattr__(self, "format", _pixel_format(self.format, self.name))
        for field, side in (("width", self.width), ("height", self.height)):
            checks.integer(side, f"the {field} of {self.name}", 1, 2**31)
            if side > limits.SIDE:
                raise checks.too_large(
                    f"{self.name} is {side} pixels in {field}, over {limits.SIDE}"
                )
        checks.integer(self.x, f"x of {self.name}", -limits.COORDINATE, limits.COORDINATE)
        checks.integer(self.y, f"y of {self.name}", -limits.COORDINATE, limits.COORDINATE)
        if self.width * self.height > limits.PIXELS:
            raise checks.too_large(f"{self.name} has more than {limits.PIXELS} pixels")
        expected = self.width * self.height * self.format.bytes_per_pixel
        if expected > limits.BUFFER_BYTES:
            raise checks.too_large(f"{self.name} has more than {limits.BUFFER_BYTES} bytes")
        view = _flat_view(self.data, self.name)
        if len(view) != expected:
            raise checks.malformed(
                f"{self.name} holds {len(view)} bytes where {self.width} x {self.height} pixels "
                f"of {self.format.value} take {expected}"
            )
        object.__setattr__(self, "data", view)


@dataclass(frozen=True)
class EncodedImage:
    """The bytes of a PNG, JPEG, WebP, TIFF, .kra or .ora file; decoded by who needs its pixels.

    ``file_name`` is for messages and for the kind of file, it is never opened. ``layer`` picks one
    layer of a .kra or .ora file by name ("" is the merged picture).
    Raises `NuriError`: malformed, too_large.
    """

    name: str
    file_name: str
    data: bytes | memoryview
    layer: str = ""

    def __post_init__(self) -> None:
        checks.text(self.name, "the name of a picture", limits.NAME, empty=False)
        if isinstance(self.file_name, str):
            # File names of the system may hold bytes that are no Unicode; only shown, so replaced.
            shown = self.file_name.encode("utf-8", "replace").decode()
            object.__setattr__(self, "file_name", shown)
        checks.text(self.file_name, f"the file name of {self.name}", limits.OPTION_TEXT)
        checks.text(self.layer, f"the layer of {self.name}")
        view = _flat_view(self.data, self.name)
        if len(view) > limits.BUFFER_BYTES:
            raise checks.too_large(f"{self.file_name} has more than {limits.BUFFER_BYTES} bytes")
        object.__setattr__(self, "data", view)


Plane = PixelBuffer | EncodedImage


def _pixel_format(value: object, name: str) -> PixelFormat:
    try:
        return PixelFormat(value)
    except ValueError:
        raise NuriError(
            ErrorCode.unsupported,
            f"{name} has the unknown pixel format {str(value)[:40]!r}",
            "Update Nuri and its Krita plugin to the same version",
        ) from None


def check_planes(planes: object, field: str) -> None:
    """A tuple of at most 64 pictures with names of their own, within the sums of limits.py."""
    checks.sequence(planes, field, limits.BUFFERS)
    names: set[str] = set()
    pixels = size = 0
    for plane in planes:  # type: ignore[attr-defined]
        if not isinstance(plane, (PixelBuffer, EncodedImage)):
            raise checks.malformed(f"{field} holds a {type(plane).__name__}, which is no picture")
        if plane.name in names:
            raise checks.malformed(f"{field} holds two pictures named {plane.name}")
        names.add(plane.name)
        size += len(plane.data)
        if isinstance(plane, PixelBuffer):
            pixels += plane.width * plane.height
    if pixels > limits.PIXELS:
        raise checks.too_large(f"{field} hold {pixels} pixels together, over {limits.PIXELS}")
    if size > limits.MESSAGE_BYTES:
        raise checks.too_large(f"{field} hold {size} bytes together, over {limits.MESSAGE_BYTES}")

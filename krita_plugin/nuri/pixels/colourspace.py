"""Krita's colour spaces and the pixel formats of the protocol; conversion by Krita itself."""

from __future__ import annotations

from typing import Any, NamedTuple

from protocol.errors import ErrorCode, NuriError

from ..steps import Work
from .hidden import HiddenCopy


class ColourSpace(NamedTuple):
    """What Krita calls a colour space: the three names that its own calls take."""

    model: str
    depth: str
    profile: str

    @classmethod
    def of(cls, thing: Any) -> ColourSpace:
        """The colour space of a document or a layer."""
        return cls(thing.colorModel(), thing.colorDepth(), thing.colorProfile())

    @property
    def is_srgb8(self) -> bool:
        """True when the raw bytes are 8 bit sRGB already, so that nothing needs converting."""
        return self.depth == "U8" and self.is_srgb

    @property
    def is_srgb(self) -> bool:
        """True for sRGB in any depth."""
        return self.model == "RGBA" and self.profile in _SRGB_PROFILES


# Pixels that are converted together, and how many such runs in one step (about 30 ms for floats).
_RUN = 64
_RUNS_PER_STEP = 512

SRGB8 = ColourSpace("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
SRGB16 = SRGB8._replace(depth="U16")
_SRGB_PROFILES = {SRGB8.profile, "sRGB-elle-V4-srgbtrc.icc", "sRGB built-in"}

_FORMATS = {
    ("RGBA", "U8"): "bgra8",
    ("RGBA", "U16"): "bgra16",
    ("RGBA", "F16"): "rgbaf16",
    ("RGBA", "F32"): "rgbaf32",
    ("GRAYA", "U8"): "graya8",
    ("GRAYA", "U16"): "graya16",
    ("GRAYA", "F32"): "grayaf32",
    ("CMYKA", "U8"): "cmyka8",
    ("CMYKA", "U16"): "cmyka16",
    ("CMYKA", "F32"): "cmykaf32",
    ("LABA", "U16"): "laba16",
    ("LABA", "F32"): "labaf32",
    ("XYZA", "F32"): "xyzaf32",
    ("YCbCrA", "U8"): "ycbcra8",
    ("YCbCrA", "U16"): "ycbcra16",
}

# Depths that the protocol has no name for travel in the next finer one of the same model.
_FINER = {
    ("GRAYA", "F16"): "F32",
    ("LABA", "U8"): "U16",
    ("LABA", "F16"): "F32",
    ("XYZA", "U8"): "F32",
    ("XYZA", "U16"): "F32",
    ("XYZA", "F16"): "F32",
    ("YCbCrA", "F16"): "U16",
    ("YCbCrA", "F32"): "U16",
}


def travel_space(space: ColourSpace) -> ColourSpace:
    """The colour space in which colours of ``space`` are sent: itself wherever possible."""
    finer = _FINER.get((space.model, space.depth))
    return space._replace(depth=finer) if finer else space


def pixel_format(space: ColourSpace) -> str:
    """The protocol's name for the pixels of ``space``. Raises `NuriError` bad_input."""
    try:
        return _FORMATS[space.model, space.depth]
    except KeyError:
        raise NuriError(
            ErrorCode.bad_input,
            f"Nuri does not know the colour space {space.model} {space.depth}",
            "convert the image: Image > Convert Image Color Space",
        ) from None


def convert(hidden: HiddenCopy, data: bytes, source: ColourSpace, target: ColourSpace) -> Work:
    """Pixels of ``source`` in ``target``, by Krita's colour management; returns bytes.

    Each distinct run of pixels is converted once: most of a drawing is empty, paper or flat colour.
    ``hidden``: for a document of its own, since converting a layer makes an undo step and turns the
    event loop, even for a layer outside the tree. Raises `NuriError` disk_full.
    """
    if source == target:
        return data
    bench = yield from hidden.bench(source)
    node = _scratch(bench, source)
    run = _RUN * len(node.pixelData(0, 0, 1, 1))
    rest = -len(data) % run
    padded = data + bytes(rest)
    runs = [padded[start : start + run] for start in range(0, len(padded), run)]
    distinct = list(dict.fromkeys(runs))
    converted: dict[bytes, bytes] = {}
    for first in range(0, len(distinct), _RUNS_PER_STEP):
        part = distinct[first : first + _RUNS_PER_STEP]
        node = _scratch(bench, source)
        node.setPixelData(b"".join(part), 0, 0, _RUN, len(part))
        node.setColorSpace(*target)
        raw = bytes(node.pixelData(0, 0, _RUN, len(part)))
        size = len(raw) // len(part)
        converted.update((old, raw[i * size : (i + 1) * size]) for i, old in enumerate(part))
        yield 0
    whole = b"".join([converted[old] for old in runs])
    return whole[: len(whole) * len(data) // len(padded)]


def _scratch(bench: Any, space: ColourSpace) -> Any:
    """An empty layer of ``space`` that is in no document."""
    node = bench.createNode("convert", "paintlayer")
    if ColourSpace.of(node) != space:
        node.setColorSpace(*space)
    return node

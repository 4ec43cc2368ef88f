"""Krita's own files: the layer tree of maindoc.xml and the tiles of paint layers.

A paint layer is a text header, then 64 x 64 tiles, each a line "x,y,LZF,size" and its bytes: a
flag, then either raw pixels or LZF-packed planes, one plane for each byte of a pixel.
"""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree

import cv2
import numpy as np

from . import refusal
from .archive import Archive, number
from .lzf import unpack
from .profile import read_profile, to_srgb
from .tree import Layer, Tree

TILE = 64
_MOST_TILES = 4_000_000
_HEADER_LINE = 64
_PACKED_CACHE = 512  # flat tiles repeat; longer ones hardly do
PROFILE_BYTES = 16 * 1024 * 1024
# Name in the file: (numpy type, order of the stored channels that gives R G B A or grey A).
_SPACES = {
    "RGBA": ("u1", (2, 1, 0, 3)),
    "RGBA16": ("<u2", (2, 1, 0, 3)),
    "RGBAF16": ("<f2", (0, 1, 2, 3)),
    "RGBAF32": ("<f4", (0, 1, 2, 3)),
    "GRAYA": ("u1", (0, 1)),
    "GRAYAU16": ("<u2", (0, 1)),
    "GRAYAF16": ("<f2", (0, 1)),
    "GRAYAF32": ("<f4", (0, 1)),
}
_KINDS = {"paintlayer": "paint", "grouplayer": "group"}


def read_tree(archive: Archive) -> Tree:
    """The layers of the document, top first. Raises bad_input, too_large."""
    root = archive.xml("maindoc.xml")
    image = root if root.tag == "IMAGE" else root.find("IMAGE")
    if image is None:
        raise refusal.damaged(archive.file_name, "maindoc.xml has no image")
    width, height = (int(number(image, side, 0, archive.file_name)) for side in ("width", "height"))
    refusal.check_size(width, height, archive.file_name)
    layers: list[Layer] = []
    _collect(image, None, layers, archive.file_name)
    return Tree(width, height, tuple(layers), image.get("name", ""))


def _collect(
    parent: ElementTree.Element, group: Layer | None, layers: list[Layer], file_name: str
) -> None:
    for element in parent.iterfind("layers/layer"):
        layer = Layer(
            name=element.get("name", ""),
            kind=_KINDS.get(element.get("nodetype", ""), element.get("nodetype", "unknown")),
            source=element.get("filename", ""),
            x=int(number(element, "x", 0, file_name)),
            y=int(number(element, "y", 0, file_name)),
            opacity=number(element, "opacity", 255, file_name) / 255,
            visible=element.get("visible", "1") == "1",
            blending=_blending(element),
            space=element.get("colorspacename", ""),
            group=group,
            keyframes=element.get("keyframes", ""),
            clipped=element.get("channelflags", "").endswith("0"),
            passes=element.get("passthrough", "0") == "1",
        )
        layers.append(layer)
        _collect(element, layer, layers, file_name)


def _blending(element: ElementTree.Element) -> str:
    """How it lies over what is below; a word of our own where it lacks channels of colour."""
    colours = element.get("channelflags", "")[:-1]  # alpha is the last
    return "some channels" if "0" in colours else element.get("compositeop", "normal")


def read_frames(archive: Archive, tree: Tree, layer: Layer) -> dict[int, Layer]:
    """The key frames of a paint layer by time, each as the layer is then; {} for a still one.

    Raises bad_input, too_large.
    """
    if not layer.keyframes:
        return {}
    root = archive.xml(_part(archive, tree, layer.keyframes))
    frames = {}
    for element in root.iter("keyframe"):
        time = int(number(element, "time", -1, archive.file_name))
        source = element.get("frame", "")
        if time < 0 or not source:
            continue  # of another channel, such as opacity
        offset = element.find("offset")
        x, y = (
            0 if offset is None else int(number(offset, side, 0, archive.file_name))
            for side in ("x", "y")
        )
        frames[time] = replace(layer, source=source, x=x, y=y)
    return dict(sorted(frames.items()))


def read_clock(archive: Archive) -> tuple[float, int]:
    """Frames a second, and the frame after the last of the clip. Raises bad_input."""
    root = archive.xml("maindoc.xml")
    rate, clip = root.find(".//animation/framerate"), root.find(".//animation/range")
    frames = 24.0 if rate is None else number(rate, "value", 24, archive.file_name)
    last = -1.0 if clip is None else number(clip, "to", -1, archive.file_name)
    return max(1.0, frames), int(last) + 1


def read_layer(archive: Archive, tree: Tree, layer: Layer) -> np.ndarray:
    """The layer's own pixels on the canvas, (H, W, 4) RGBA in sRGB, uint8, or uint16 where the
    layer has more than 8 bits. Raises unsupported (CMYK and others), bad_input, no_memory."""
    if layer.space not in _SPACES:
        raise refusal.unsupported(
            archive.file_name,
            f"has its layer {layer.name!r} in the colour space {layer.space or 'unknown'}",
            "Convert the image to RGB in Krita (Image > Convert Image Color Space)",
        )
    kind, order = _SPACES[layer.space]
    place = _place(archive, tree, layer)
    dtype = np.dtype(kind)
    try:
        planes = _read_tiles(archive, place, tree, layer, dtype.itemsize * len(order))
        return _to_rgba(planes, dtype, order, _profile(archive, place))
    except MemoryError as error:
        raise refusal.no_memory(archive.file_name) from error


def _place(archive: Archive, tree: Tree, layer: Layer) -> str:
    """The part that holds the tiles: IMAGE/layers/layerN."""
    return _part(archive, tree, layer.source)


def _part(archive: Archive, tree: Tree, name: str) -> str:
    """IMAGE/layers/NAME, where IMAGE may be an older name of the image."""
    place = f"{tree.name}/layers/{name}"
    if place in archive:
        return place
    ending = f"/layers/{name}"
    return next((part for part in archive.names() if part.endswith(ending)), place)


def _profile(archive: Archive, place: str) -> bytes:
    """Key frames layerN.fM have the profile of their layer."""
    if f"{place}.icc" not in archive:
        place = place.rpartition(".f")[0] or place
    return archive.read(f"{place}.icc", PROFILE_BYTES) if f"{place}.icc" in archive else b""


def _read_tiles(
    archive: Archive, place: str, tree: Tree, layer: Layer, pixel_size: int
) -> np.ndarray:
    """(pixel_size, H, W) bytes of the canvas, untouched parts in the layer's default pixel."""
    canvas = np.empty((pixel_size, tree.height, tree.width), np.uint8)
    default = b"\0" * pixel_size
    if f"{place}.defaultpixel" in archive:
        default = archive.read(f"{place}.defaultpixel", 256)
    if len(default) != pixel_size:
        raise refusal.damaged(archive.file_name, f"default pixel of {layer.name!r}")
    canvas[:] = np.frombuffer(default, np.uint8)[:, None, None]
    with archive.stream(place) as stream:
        count = _header(stream, pixel_size)
        seen: dict[bytes, np.ndarray] = {}
        for _ in range(count):
            x, y, size = _tile_line(stream, pixel_size)
            content = stream.read(size)
            if len(content) != size:
                raise EOFError("a tile is cut short")
            tile = seen.get(content)
            if tile is None:
                tile = _tile(content, pixel_size)
                if size <= _PACKED_CACHE:
                    seen[content] = tile
            _paste(canvas, tile, x + layer.x, y + layer.y)
    return canvas


def _header(stream: io.BufferedReader, pixel_size: int) -> int:
    """Number of tiles; ValueError where the header is not the one of Krita 2 to 5."""
    expected = (b"VERSION 2", b"TILEWIDTH 64", b"TILEHEIGHT 64", b"PIXELSIZE %d" % pixel_size)
    for line in expected:
        if stream.readline(_HEADER_LINE).rstrip() != line:
            raise ValueError(f"expected {line!r}")
    word, _, number_of_tiles = stream.readline(_HEADER_LINE).partition(b" ")
    count = int(number_of_tiles)
    if word != b"DATA" or not 0 <= count <= _MOST_TILES:
        raise ValueError("number of tiles")
    return count


def _tile_line(stream: io.BufferedReader, pixel_size: int) -> tuple[int, int, int]:
    x, y, packing, size = stream.readline(_HEADER_LINE).split(b",")
    values = int(x), int(y), int(size)
    if packing != b"LZF" or not 1 <= values[2] <= TILE * TILE * pixel_size + 1:
        raise ValueError("line of a tile")
    return values


def _tile(content: bytes, pixel_size: int) -> np.ndarray:
    """(pixel_size, 64, 64) bytes."""
    size = TILE * TILE * pixel_size
    if content[0] == 0:
        if len(content) != size + 1:
            raise ValueError("size of a raw tile")
        pixels = np.frombuffer(content, np.uint8, offset=1)
        return np.asarray(pixels.reshape(TILE, TILE, pixel_size).transpose(2, 0, 1))
    return unpack(content[1:], size).reshape(pixel_size, TILE, TILE)


def _paste(canvas: np.ndarray, tile: np.ndarray, x: int, y: int) -> None:
    """Copy what of the tile lies on the canvas."""
    height, width = canvas.shape[1:]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + TILE, width), min(y + TILE, height)
    if left < right and top < bottom:
        canvas[:, top:bottom, left:right] = tile[:, top - y : bottom - y, left - x : right - x]


def _to_rgba(planes: np.ndarray, dtype: np.dtype, order: tuple[int, ...], icc: bytes) -> np.ndarray:
    """Planes of bytes to (H, W, 4) RGBA in sRGB; float becomes uint16."""
    rgba = order if len(order) == 4 else (0, 0, 0, 1)
    size = dtype.itemsize
    merged: np.ndarray = cv2.merge(
        [planes[channel * size + byte] for channel in rgba for byte in range(size)]
    )
    pixels: np.ndarray = merged.view(dtype)
    if dtype.kind == "f":
        finite = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
        pixels = np.round(np.clip(finite, 0.0, 1.0) * 65535).astype(np.uint16)
    to_srgb(pixels, read_profile(icc))
    return pixels

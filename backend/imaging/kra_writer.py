"""A copy of a .kra animation with one more layer, whose key frames are given."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree

import numpy as np

from protocol.errors import ErrorCode, NuriError

from . import disk, kra, refusal
from .archive import PICTURE_BYTES, Archive
from .profile import read_profile, to_srgb
from .tree import Layer, Tree

_RAW = b"\0"  # the flag of a tile that is not packed; the ZIP file packs it
_HEADER = "VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE 4\nDATA {}\n"
_KEYFRAMES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<keyframes xmlns="http://www.calligra.org/DTD/krita-keyframes">\n'
    ' <channel name="content">\n{} </channel>\n</keyframes>\n'
)
_KEYFRAME = (
    '  <keyframe time="{}" color-label="0" frame="{}">\n'
    '   <offset type="point" x="0" y="0"/>\n  </keyframe>\n'
)
# without the document type Krita calls the file corrupted
_PROLOGUE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE DOC PUBLIC \'-//KDE//DTD krita 2.0//EN\' '
    b"'http://www.calligra.org/DTD/krita-2.0.dtd'>\n"
)
_NAME_SPACE = "http://www.calligra.org/DTD/krita"


def check_layer(source: Path, below: str) -> None:
    """Refuse, before there is any frame, a document that `add_frames` would. Raises as it does."""
    _open(source, below)


def add_frames(
    source: Path, path: Path, below: str, name: str, frames: Iterable[tuple[int, np.ndarray]]
) -> str:
    """Write ``path`` whole or not at all: ``source`` with one more layer under ``below``.

    below: name or path of a paint layer. name: of the new layer, which gets the first free number
    behind it where it is taken; returns what it is called. frames: times in ascending order and
    (H, W, 4) RGBA uint8 of the canvas in sRGB. Raises NuriError: unsupported (a document that is
    not 8 bit RGBA in sRGB), bad_input, disk_full.
    """
    archive, tree, layer, icc = _open(source, below)
    name = _free_name({one.name for one in tree.layers}, name)
    part = _new_part({one.source for one in tree.layers})
    folder = f"{tree.name}/layers"
    listed = []
    with (
        disk.replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in archive.names():
            if entry != "maindoc.xml":
                packing = zipfile.ZIP_STORED if entry == "mimetype" else zipfile.ZIP_DEFLATED
                target.writestr(entry, archive.read(entry, PICTURE_BYTES), packing)
        target.writestr("maindoc.xml", _document(archive, layer, name, part))
        for number, (time, pixels) in enumerate(frames):
            frame = f"{part}.f{number}" if number else part
            target.writestr(f"{folder}/{frame}", _tiles(pixels))
            target.writestr(f"{folder}/{frame}.defaultpixel", bytes(4))
            listed.append(_KEYFRAME.format(time, frame))
        if icc:
            target.writestr(f"{folder}/{part}.icc", icc)
        target.writestr(f"{folder}/{part}.keyframes.xml", _KEYFRAMES.format("".join(listed)))
    return name


def _open(source: Path, below: str) -> tuple[Archive, Tree, Layer, bytes]:
    """A document, its layers, the one named ``below`` and its profile."""
    archive = Archive(disk.read_file(source), str(source))
    tree = kra.read_tree(archive)
    layer = tree.find(below)
    if layer is None:
        raise _no_layer(archive, below)
    return archive, tree, layer, _checked_profile(archive, tree.name, layer)


def _checked_profile(archive: Archive, name: str, layer: Layer) -> bytes:
    """The ICC profile of a layer, where sRGB pixels may be stored beside it as they are."""
    part = f"{name}/layers/{layer.source}.icc"
    icc = archive.read(part, kra.PROFILE_BYTES) if part in archive else b""
    colours = np.random.default_rng(0).integers(0, 256, (16, 16, 4), np.uint8)
    turned = colours.copy()
    to_srgb(turned, read_profile(icc) if icc else None)
    if layer.space != "RGBA" or np.abs(turned.astype(int) - colours).max() > 1:
        raise refusal.unsupported(
            archive.file_name,
            f"has its layer {layer.name!r} in another colour space than sRGB with 8 bits",
            "Write another kind of film, or use Colorize animation in Krita",
        )
    return icc


def _free_name(taken: set[str], name: str) -> str:
    """``name``, or ``name`` with the first free number behind it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free


def _new_part(known: set[str]) -> str:
    number = 1
    while f"layer{number}" in known:
        number += 1
    return f"layer{number}"


def _document(archive: Archive, below: Layer, name: str, part: str) -> bytes:
    """maindoc.xml with the new layer."""
    root = archive.xml("maindoc.xml")
    root.set("xmlns", _NAME_SPACE)
    for parent in root.iter("layers"):
        for place, element in enumerate(parent):
            if element.get("filename") == below.source:
                new = ElementTree.Element("layer", element.attrib)
                new.attrib.pop("selected", None)
                new.attrib.pop("channelflags", None)
                new.attrib.update(
                    name=name,
                    filename=part,
                    keyframes=f"{part}.keyframes.xml",
                    uuid=f"{{{uuid4()}}}",
                    compositeop="normal",
                    opacity="255",
                    visible="1",
                    locked="0",
                    intimeline="1",
                    x="0",
                    y="0",
                )
                parent.insert(place + 1, new)
                return _PROLOGUE + ElementTree.tostring(root, "UTF-8")
    raise _no_layer(archive, below.name)


def _no_layer(archive: Archive, name: str) -> NuriError:
    return NuriError(
        ErrorCode.bad_input,
        f"{archive.file_name} has no layer {name!r}",
        "Save it again in Krita",
    )


def _tiles(pixels: np.ndarray) -> bytes:
    """The part of a frame: tiles that are not empty, BGRA."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % kra.TILE), (0, -width % kra.TILE), (0, 0)))
    tiles = []
    for y in range(0, height, kra.TILE):
        for x in range(0, width, kra.TILE):
            tile = padded[y : y + kra.TILE, x : x + kra.TILE]
            if tile[..., 3].any():
                content = _RAW + tile[..., [2, 1, 0, 3]].tobytes()
                tiles.append(f"{x},{y},LZF,{len(content)}\n".encode() + content)
    return _HEADER.format(len(tiles)).encode() + b"".join(tiles)

"""OpenRaster files: stack.xml and one PNG for each layer."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from . import png, refusal
from .archive import PICTURE_BYTES, Archive, number
from .profile import read_profile, to_srgb
from .tree import Layer, Tree


def read_tree(archive: Archive) -> Tree:
    """The layers of the document, top first. Raises bad_input, too_large."""
    image = archive.xml("stack.xml")
    width, height = (int(number(image, side, 0, archive.file_name)) for side in ("w", "h"))
    refusal.check_size(width, height, archive.file_name)
    stack = image.find("stack")
    if stack is None:
        raise refusal.damaged(archive.file_name, "stack.xml has no stack")
    layers: list[Layer] = []
    _collect(stack, None, (0, 0), layers, archive.file_name)
    return Tree(width, height, tuple(layers))


def _collect(
    stack: ElementTree.Element,
    group: Layer | None,
    offset: tuple[int, int],
    layers: list[Layer],
    file_name: str,
) -> None:
    for element in stack:
        x = offset[0] + int(number(element, "x", 0, file_name))
        y = offset[1] + int(number(element, "y", 0, file_name))
        blending = element.get("composite-op", "svg:src-over").removeprefix("svg:")
        layer = Layer(
            name=element.get("name", ""),
            kind={"layer": "paint", "stack": "group"}.get(element.tag, element.tag),
            source=element.get("src", ""),
            x=x,
            y=y,
            opacity=number(element, "opacity", 1, file_name),
            visible=element.get("visibility", "visible") == "visible",
            blending="src-over" if blending == "src-atop" else blending,
            group=group,
            clipped=blending == "src-atop",
        )
        layers.append(layer)
        if element.tag == "stack":
            _collect(element, layer, (x, y), layers, file_name)


def read_layer(archive: Archive, tree: Tree, layer: Layer) -> np.ndarray:
    """The layer on the canvas, (H, W, 4) RGBA in sRGB, uint8 or uint16.

    Raises bad_input, too_large, no_memory.
    """
    name = f"{layer.source} in {archive.file_name}"
    data = archive.read(layer.source, PICTURE_BYTES)
    if data[:8] != png.SIGNATURE:
        raise refusal.damaged(archive.file_name, f"{layer.source} is no PNG")
    chunks = png.read_chunks(data, name)
    pixels = png.decode(chunks, name)
    top = np.iinfo(pixels.dtype).max
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    to_srgb(pixels, read_profile(png.profile(chunks) or b""))
    canvas = np.zeros((tree.height, tree.width, 4), pixels.dtype)
    left, top_row = max(layer.x, 0), max(layer.y, 0)
    right = min(layer.x + pixels.shape[1], tree.width)
    bottom = min(layer.y + pixels.shape[0], tree.height)
    if left < right and top_row < bottom:
        part = slice(top_row - layer.y, bottom - layer.y), slice(left - layer.x, right - layer.x)
        canvas[top_row:bottom, left:right, :3] = pixels[part][..., :3]
        opaque = pixels.shape[2] == 3
        canvas[top_row:bottom, left:right, 3] = top if opaque else pixels[part][..., 3]
    return canvas

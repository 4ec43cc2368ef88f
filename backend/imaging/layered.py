"""What a colouring task asks of a .kra or .ora file: one layer, the whole, or the lines alone."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import cv2
import numpy as np

from protocol.errors import ErrorCode, NuriError

from . import kra, ora, png, refusal
from .archive import PICTURE_BYTES, Archive
from .profile import read_profile, to_srgb
from .tree import Layer, Tree

_HINT_NAMES = ("hints", "nuri hints", "hint", "colour hints", "color hints", "hint layer")
_LINE_NAMES = ("lines", "line", "line art", "lineart", "linework", "ink", "inks", "inking")
_OVER = ("normal", "src-over")
_BAND = 256


class Frames:
    """The key frames of one layer; ``times`` in ascending order."""

    def __init__(self, archive: Archive, tree: Tree, frames: dict[int, Layer]) -> None:
        self._archive, self._tree, self._frames = archive, tree, frames
        self.times = list(frames)

    def at(self, time: int) -> np.ndarray:
        """The pixels of the key frame at ``time``, as of `LayeredFile.layer`."""
        return kra.read_layer(self._archive, self._tree, self._frames[time])


class LayeredFile:
    """A .kra or .ora file held in memory.

    Every method raises bad_input for damage, too_large and no_memory; pixels are RGBA in sRGB,
    (H, W, 4), uint8 or uint16, on the canvas of the document.
    """

    def __init__(self, data: bytes | memoryview, file_name: str) -> None:
        self.file_name = file_name
        self._archive = Archive(data, file_name)
        self._format: ModuleType
        if "maindoc.xml" in self._archive:
            self._format = kra
        elif "stack.xml" in self._archive:
            self._format = ora
        else:
            raise refusal.unsupported(
                file_name, "is a ZIP file, but no .kra or .ora", f"Use {refusal.READABLE} files"
            )
        self.tree: Tree = self._format.read_tree(self._archive)

    def layer(self, name: str, left_out: str = "") -> np.ndarray:
        """The own pixels of the named paint layer, or what the named group shows, without the layer
        or group ``left_out`` that it may hold.

        Raises not_found with the names there are, unsupported for a group of other layers.
        """
        layer, other = self._find(name), self.tree.find(left_out) if left_out else None
        is_inside = other is not None and other is not layer and other.is_within(layer)
        return self._pixels(layer, other if is_inside else None)

    def merged(self) -> np.ndarray:
        """The picture as the program that saved it shows it."""
        if "mergedimage.png" not in self._archive:
            raise NuriError(
                ErrorCode.bad_input,
                f"{self.file_name} was saved without its merged picture",
                f"Name a layer of it: {self._choices()}",
            )
        data = self._archive.read("mergedimage.png", PICTURE_BYTES)
        name = f"mergedimage.png in {self.file_name}"
        chunks = png.read_chunks(data, name)
        pixels = png.decode(chunks, name)
        if pixels.shape[:2] != (self.tree.height, self.tree.width):
            raise refusal.damaged(self.file_name, "its merged picture has another size")
        icc = read_profile(png.profile(chunks) or b"")
        to_srgb(pixels if pixels.ndim == 3 else pixels[..., None], icc)
        return pixels

    def hint_layer(self) -> str:
        """The name of the layer that holds hints, told by its name; "" where there is none."""
        layer = self._known(_HINT_NAMES)
        return layer.path if layer else ""

    def is_coloured(self, line_layer: str, other: str = "") -> bool:
        """Whether what is named as the lines is the layer with the colours: the one named so, or,
        without a name, that of the hints."""
        found = self.tree.find(other or self.hint_layer())
        return found is not None and found is self.tree.find(line_layer)

    def lines(self, hint_layer: str) -> np.ndarray:
        """The drawing where no line layer was named and the hints are in this file too.

        A layer or group named like "Lines", else all that is shown but the hint layer.
        """
        known = self._known(_LINE_NAMES, self.tree.find(hint_layer))
        if known is not None:
            return self._pixels(known, self.tree.find(hint_layer))
        hints = self._find(hint_layer)
        return self._flatten(None, hints) if hints.shown_in(None) else self.merged()

    def animated(self) -> list[str]:
        """The paths of the layers with key frames, top first."""
        return [layer.path for layer in self.tree.choices if layer.keyframes]

    def animated_lines(self, other: str) -> str:
        """The path of the animated layer that holds the lines: named so, or the only one besides
        the layer ``other``. Raises bad_input."""
        left_out = self._find(other) if other else None
        found = [layer for layer in self.tree.choices if layer.keyframes and layer is not left_out]
        named = [layer for layer in found if layer.name.strip().casefold() in _LINE_NAMES]
        for layers in (named, found):
            if len(layers) == 1:
                return layers[0].path
        raise NuriError(
            ErrorCode.bad_input,
            f"which layer of {self.file_name} holds the lines is not clear",
            "Name it with --line-layer, one of: "
            + (", ".join(repr(layer.path) for layer in found) or "none, for none has key frames"),
        )

    def clock(self) -> tuple[float, int]:
        """Frames a second, and the frame after the last of the clip; 24 and 0 where it is not
        said. Raises bad_input."""
        return kra.read_clock(self._archive) if self._format is kra else (24.0, 0)

    def frames(self, name: str) -> Frames:
        """The key frames of the named paint layer; none of a still one. Raises as `layer`."""
        layer = self._find(name)
        found = kra.read_frames(self._archive, self.tree, layer) if layer.keyframes else {}
        return Frames(self._archive, self.tree, found)

    def _pixels(self, layer: Layer, left_out: Layer | None = None) -> np.ndarray:
        if layer.kind == "group":
            return self._flatten(layer, left_out)
        pixels: np.ndarray = self._format.read_layer(self._archive, self.tree, layer)
        return pixels

    def _find(self, name: str) -> Layer:
        layer = self.tree.find(name)
        if layer is None:
            other = next((entry for entry in self.tree.layers if entry.name == name), None)
            what = "has no layer" if other is None else "holds no pixels of its own in"
            raise NuriError(
                ErrorCode.not_found,
                f"{self.file_name} {what} {name!r}",
                f"Its layers are: {self._choices()}",
            )
        same = [one for one in self.tree.layers if (one.kind, one.path) == (layer.kind, layer.path)]
        if len(same) > 1:
            raise NuriError(
                ErrorCode.bad_input,
                f"{self.file_name} has {len(same)} layers {layer.path!r} that cannot be told apart",
                "Give each a name of its own",
            )
        return layer

    def _choices(self) -> str:
        return ", ".join(repr(name) for name in names(self.tree)[:20]) or "none"

    def _known(self, known_names: tuple[str, ...], but: Layer | None = None) -> Layer | None:
        """The layer with the first of these names, and not ``but`` or in it."""
        for known in known_names:
            for layer in self.tree.choices:
                is_named = layer.name.strip().casefold() == known
                if is_named and (but is None or not layer.is_within(but)):
                    return layer
        return None

    def _flatten(self, group: Layer | None, left_out: Layer | None = None) -> np.ndarray:
        """The shown layers of ``group``, or of the file, one over the other."""
        out = self._laid_over(group, left_out)
        if out is None:
            where = "no layer" if group is None else f"nothing in {group.name!r}"
            where += " besides the hints" if left_out else ""
            raise NuriError(
                ErrorCode.bad_input,
                f"{self.file_name} shows {where}",
                f"Name the line layer with --line-layer, one of: {self._choices()}",
            )
        return out

    def _laid_over(self, group: Layer | None, left_out: Layer | None) -> np.ndarray | None:
        """`_flatten`, or None where nothing is shown."""
        out: np.ndarray | None = None
        for layer in self._shown_bottom_first(group, left_out):
            if layer.clipped and out is None:
                continue  # as Krita shows it: there is nothing below to show it on
            is_group = layer.kind == "group"
            pixels = self._laid_over(layer, left_out) if is_group else self._pixels(layer)
            if pixels is None:
                continue
            if out is None:
                out = np.zeros_like(pixels)
            for row in range(0, out.shape[0], _BAND):
                band = slice(row, row + _BAND)
                out[band] = _over(out[band], pixels[band], layer.opacity, clipped=layer.clipped)
        return out

    def _shown_bottom_first(self, group: Layer | None, left_out: Layer | None) -> Iterator[Layer]:
        """What lies in ``group``: a group in it as a whole where something is clipped to it or in
        it, else by its layers."""
        for layer in reversed(self.tree.layers):
            if layer.group is not group or not layer.visible or layer is left_out:
                continue
            is_group = layer.kind == "group"
            plain = layer.blending in _OVER and (not is_group or layer.opacity == 1)
            plain = plain and not (layer.clipped and layer.passes)
            if layer.kind not in ("paint", "group") or not plain:
                raise NuriError(
                    ErrorCode.unsupported,
                    f"{self.file_name} has the layer {layer.name!r}, which only a paint program "
                    "can merge with the others",
                    f"Name the line layer with --line-layer, one of: {self._choices()}",
                )
            if is_group and (layer.passes or not self._is_clipping(layer)):
                yield from self._shown_bottom_first(layer, left_out)
            else:
                yield layer

    def _is_clipping(self, group: Layer) -> bool:
        return any(layer.clipped and layer.is_within(group) for layer in self.tree.layers)


def names(tree: Tree) -> list[str]:
    """Paint layers and groups to choose from, top first; equal names are told apart by paths."""
    plain = [layer.name for layer in tree.choices]
    return [layer.name if plain.count(layer.name) == 1 else layer.path for layer in tree.choices]


def _over(
    below: np.ndarray, above: np.ndarray, opacity: float, *, clipped: bool = False
) -> np.ndarray:
    """Straight-alpha RGBA ``above`` over ``below``, of one shape; the type of ``below``.
    ``clipped``: only where something is below."""
    top = float(np.iinfo(below.dtype).max)
    scale = float(np.iinfo(above.dtype).max)
    alpha_above = above[..., 3:].astype(np.float32) * np.float32(opacity / scale)
    cover = below[..., 3:].astype(np.float32) / np.float32(top)
    alpha_below = cover * (1 - alpha_above)
    if clipped:
        alpha_above *= cover
    alpha = alpha_above + alpha_below
    colour = above[..., :3] * (alpha_above * np.float32(top / scale)) + below[..., :3] * alpha_below
    out = np.concatenate([colour / np.maximum(alpha, 1e-6), alpha * top], axis=2)
    return cv2.convertScaleAbs(out) if below.dtype == np.uint8 else np.round(out).astype(np.uint16)

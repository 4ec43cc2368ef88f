"""A drawing as a stack of closed shapes, and how it is painted with exact regions."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from training.data.picture import Picture

SHIFT = 4  # fractional bits of OpenCV's coordinates
FINE = 2  # samples a side within a pixel
INK = (22, 18, 26)

Move = Callable[[np.ndarray, str], np.ndarray]


@dataclass(frozen=True)
class Layer:
    """One shape: (N, 2) closed outline in the unit square, a paint by name, inner strokes.

    ``group`` names what moves together; ``outline`` 0 draws no line round it.
    """

    points: np.ndarray
    paint: str
    group: str = "still"
    outline: float = 1.0
    shaded: bool = True
    strokes: tuple[np.ndarray, ...] = ()


@dataclass
class Scene:
    """Layers from back to front, the paints by name, ink width in pixels at 256, light (x, y)."""

    layers: list[Layer] = field(default_factory=list)
    paints: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    ink_width: float = 1.6
    light: tuple[float, float] = (-0.02, -0.02)
    pivots: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(self, points: np.ndarray, paint: str, group: str = "still", **options: object) -> None:
        """Put a shape in front of the others."""
        self.layers.append(Layer(points, paint, group, **options))  # type: ignore[arg-type]


def paint_scene(
    scene: Scene,
    height: int,
    width: int,
    name: str,
    *,
    move: Move | None = None,
    shade: bool = True,
) -> Picture:
    """The scene in colour, its ink layer and its regions; the unit square covers the longer side.

    Off ink every pixel of an area has exactly its paint or the paint's one shade. Regions are the
    connected areas of one shape between lines: 0 = ink (line < 128), 1..n.
    """
    side = max(height, width)
    fine = (height * FINE, width * FINE)
    corner = np.array([(side - width) / 2, (side - height) / 2])
    names = sorted({layer.paint for layer in scene.layers})
    number = {paint: index for index, paint in enumerate(names)}
    shape = np.zeros(fine, np.uint8)
    dark = np.zeros(fine, np.uint8)
    ink = np.zeros(fine, np.uint8)
    thickness = scene.ink_width * side / 256 * FINE
    offset = np.rint(np.array(scene.light) * side * FINE).astype(int)
    for position, layer in enumerate(scene.layers, 1):
        outline = _pixels(layer.points, layer.group, move, side, corner)
        box = _box(outline, fine, int(thickness) + 2 + abs(offset).max())
        if box is None:
            continue
        y, x = box
        local = outline - np.array([x.start, y.start]) * (1 << SHIFT)
        inside = np.zeros((y.stop - y.start, x.stop - x.start), np.uint8)
        cv2.fillPoly(inside, [local.astype(np.int32)], 1, lineType=cv2.LINE_8, shift=SHIFT)
        covered = inside.astype(bool)
        shape[box][covered] = position
        ink[box][covered] = 0
        if layer.shaded and shade:
            lit = _moved(covered, int(offset[0]), int(offset[1]))
            dark[box][covered] = (covered & ~lit)[covered]
        else:
            dark[box][covered] = 0
        line = np.zeros_like(inside)
        if layer.outline:
            stroke = max(1, round(thickness * layer.outline))
            cv2.polylines(line, [local.astype(np.int32)], True, 255, stroke, cv2.LINE_AA, SHIFT)
        for inner in layer.strokes:
            path = _pixels(inner, layer.group, move, side, corner)
            path = path - np.array([x.start, y.start]) * (1 << SHIFT)
            stroke = max(1, round(thickness * 0.8))
            cv2.polylines(line, [path.astype(np.int32)], False, 255, stroke, cv2.LINE_AA, SHIFT)
        np.maximum(ink[box], line, out=ink[box])
    size = (width, height)
    line = 255 - cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    layer_of = shape[FINE // 2 :: FINE, FINE // 2 :: FINE]
    shadow = cv2.resize(dark * 255, size, interpolation=cv2.INTER_AREA)
    paint_of = np.array([0, *(number[layer.paint] for layer in scene.layers)])
    paints = np.array([scene.paints[paint] for paint in names], np.float32)
    flat = paints[paint_of[layer_of]]
    shades = np.array([shade_of(scene.paints[paint]) for paint in names], np.float32)
    amount = (shadow.astype(np.float32) / 255)[..., None]
    toned = flat * (1 - amount) + shades[paint_of[layer_of]] * amount
    cover = (1 - line.astype(np.float32) / 255)[..., None]
    color = toned * (1 - cover) + np.array(INK, np.float32) * cover
    return Picture(
        name,
        color=np.rint(color).astype(np.uint8),
        line=line,
        regions=label_regions(layer_of, line),
    )


def label_regions(kinds: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Connected areas of one kind (H, W) between lines: (H, W) int32, 0 = ink (line < 128)."""
    from skimage.measure import label

    marked = np.where(line < 128, 0, kinds.astype(np.int32) + 1)
    return label(marked, background=0, connectivity=1).astype(np.int32)


def shade_of(paint: Sequence[int]) -> tuple[int, int, int]:
    """The one darker tone of a paint: less value, a little more saturation, towards blue."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in paint))
    red, green, blue = colorsys.hsv_to_rgb(hue, min(1, saturation * 1.1 + 0.03), value * 0.76)
    return round(red * 255), round(green * 255), min(255, round(blue * 255 + 6))


def random_paint(
    rng: np.random.Generator,
    value: tuple[float, float] = (0.45, 1.0),
    saturation: tuple[float, float] = (0.15, 0.85),
) -> tuple[int, int, int]:
    """Any hue within the given HSV value and saturation."""
    channels = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return tuple(round(channel * 255) for channel in channels)  # type: ignore[return-value]


def _pixels(
    points: np.ndarray, group: str, move: Move | None, side: int, corner: np.ndarray
) -> np.ndarray:
    placed = move(points, group) if move else points
    return np.rint(((placed * side - corner) * FINE - 0.5) * (1 << SHIFT))


def _box(outline: np.ndarray, size: tuple[int, int], margin: int) -> tuple[slice, slice] | None:
    low = np.floor(outline.min(0) / (1 << SHIFT)).astype(int) - margin
    high = np.ceil(outline.max(0) / (1 << SHIFT)).astype(int) + margin + 1
    left, top = (max(0, int(value)) for value in low)
    right, bottom = min(size[1], int(high[0])), min(size[0], int(high[1]))
    if right <= left or bottom <= top:
        return None
    return slice(top, bottom), slice(left, right)


def _moved(mask: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """A mask moved by whole pixels; what comes in is empty."""
    height, width = mask.shape
    result = np.zeros_like(mask)
    if abs(dx) >= width or abs(dy) >= height:
        return result
    result[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = mask[
        max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)
    ]
    return result

"""Comic pages: panels with white gutters, balloons, solid blacks, and a screentone edition."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from backend.imaging.color import luma
from training.data.picture import Picture

from .scene import INK, paint_scene
from .toon import make_scene

Box = tuple[int, int, int, int]  # top, left, height, width
BLACK = 0.16  # grey level (of 1) up to which the monochrome edition is solid black
WHITE = 0.86  # from which it is bare paper


def page(seed: int, width: int = 512, height: int = 0) -> Picture:
    """A page of 3 to 7 panels; height 0 takes the usual shape, 1.4 times the width.

    ``color`` and ``monochrome`` (ink, dot screens, solid blacks; exactly registered), ``line`` the
    ink alone, ``regions`` exact.
    """
    rng = np.random.default_rng((seed, 104))
    height = height or round(width * 1.4)
    color = np.full((height, width, 3), 255, np.uint8)
    line = np.full((height, width), 255, np.uint8)
    regions = np.ones((height, width), np.int32)
    count = 1
    border = max(2, round(width / 200))
    for top, left, tall, wide in _panels(rng, height, width):
        scene = make_scene(rng, plain=0.2)
        for paint in ("hair", "coat", "pupil", "spot"):
            if paint in scene.paints and rng.random() < 0.25:
                scene.paints[paint] = (26, 22, 30)  # a solid black
        # the same pen on every panel: widths are pixels at 256
        scene.ink_width = float(rng.uniform(1.0, 1.8)) * width / 2 / max(tall, wide)
        panel = paint_scene(scene, tall, wide, "panel")
        panel = _with_balloon(panel, rng)
        window = (slice(top, top + tall), slice(left, left + wide))
        color[window], line[window] = panel.paint, panel.drawing
        regions[window] = np.where(panel.areas > 0, panel.areas + count, 0)
        count += int(panel.areas.max())
        corners = ((left, top), (left + wide - 1, top + tall - 1))
        cv2.rectangle(color, *corners, INK, border)
        cv2.rectangle(line, *corners, 0, border)
    regions[line < 128] = 0
    return Picture(
        f"page {seed}",
        color=color,
        line=line,
        regions=regions,
        monochrome=screentone(color, line, regions, rng),
    )


def screentone(
    color: np.ndarray, line: np.ndarray, regions: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The black-and-white edition (H, W) uint8: each region gets paper, a dot screen or black."""
    count = int(regions.max()) + 1
    flat = regions.ravel()
    gray = luma(color).ravel() / 255
    level = np.bincount(flat, gray, count) / np.maximum(np.bincount(flat, minlength=count), 1)
    level = np.round(level * 5) / 5 if rng.random() < 0.7 else level
    tone = level[regions]
    pitch, angle = float(rng.uniform(3.5, 6.5)), float(rng.choice((0.26, 0.785, 1.05)))
    y, x = np.mgrid[: color.shape[0], : color.shape[1]].astype(np.float32)
    across = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / pitch)
    along = (-x * np.sin(angle) + y * np.cos(angle)) * (2 * np.pi / pitch)
    # the cosine product has dots whose share of area follows its threshold
    screen = (np.cos(across) * np.cos(along) + 1) / 2
    printed = np.clip((screen - 0.75 * (1 - tone)) * pitch + 0.5, 0, 1) * 255
    printed = np.where(tone >= WHITE, 255, np.where(tone <= BLACK, 0, printed))
    return np.minimum(printed, line).astype(np.uint8)


def _panels(rng: np.random.Generator, height: int, width: int) -> list[Box]:
    """3 to 7 panels by guillotine cuts, the largest first, with white gutters between them."""
    margin, gutter = round(width * 0.035), max(4, round(width * 0.02))
    boxes: list[Box] = [(margin, margin, height - 2 * margin, width - 2 * margin)]
    for _ in range(int(rng.integers(3, 8)) - 1):
        boxes.sort(key=lambda box: box[2] * box[3])
        top, left, tall, wide = boxes.pop()
        share = float(rng.uniform(0.38, 0.62))
        if tall > wide * float(rng.uniform(0.7, 1.1)):
            cut = round(tall * share)
            boxes += [(top, left, cut - gutter, wide), (top + cut, left, tall - cut, wide)]
        else:
            cut = round(wide * share)
            boxes += [(top, left, tall, cut - gutter), (top, left + cut, tall, wide - cut)]
    return boxes


def _with_balloon(panel: Picture, rng: np.random.Generator) -> Picture:
    """The panel with a speech balloon in an upper corner, three times of four."""
    if rng.random() > 0.75:
        return panel
    height, width = panel.shape
    color, line, regions = (array.copy() for array in (panel.paint, panel.drawing, panel.areas))
    rx, ry = width * float(rng.uniform(0.14, 0.22)), height * float(rng.uniform(0.08, 0.14))
    x = width * 0.03 + rx if rng.random() < 0.5 else width * 0.97 - rx
    y = height * 0.03 + ry
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    outline = np.stack((x + rx * np.cos(angle), y + ry * np.sin(angle)), -1)
    toward = 1 if x < width / 2 else -1
    tail = 12 if toward > 0 else 18
    outline[tail : tail + 3, 0] += toward * rx * 0.25
    outline[tail + 1] += (toward * rx * 0.4, ry * 0.7)
    points = [np.rint(outline).astype(np.int32)]
    stroke = max(1, round(min(height, width) / 130))
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, points, 1)
    balloon = inside.astype(bool)
    color[balloon], line[balloon] = 255, 255
    regions[balloon] = int(regions.max()) + 1
    drawn = np.full((height, width), 255, np.uint8)
    cv2.polylines(drawn, points, True, 0, stroke, cv2.LINE_AA)
    for row in np.arange(-0.4, 0.5, 0.27):
        half = 0.75 * rx * np.sqrt(1 - row**2)
        start = x - half
        while start < x + half * 0.8:
            stop = start + float(rng.uniform(0.08, 0.25)) * rx
            level = round(y + row * ry)
            cv2.line(drawn, (round(start), level), (round(stop), level), 30, stroke, cv2.LINE_AA)
            start = stop + 0.08 * rx
    line = np.minimum(line, drawn)
    cover = 1 - drawn.astype(np.float32)[..., None] / 255
    color = np.rint(color * (1 - cover) + np.array(INK) * cover).astype(np.uint8)
    regions[line < 128] = 0
    return replace(panel, color=color, line=line, regions=regions)

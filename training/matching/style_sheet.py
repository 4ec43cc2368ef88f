"""The picture that shows what a style has learnt: a row for each of a few held-out frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from training.files import write_whole

NAMES = ("lines", "reference", "before", "after", "truth")
_GAP, _HEAD = 8, 18


def tiles(
    batch: dict[str, Tensor], palette: np.ndarray, truth: np.ndarray, paints: list[Tensor]
) -> list[np.ndarray]:
    """The five pictures (S, S, 3) uint8 of a row, in the order of ``NAMES``.

    batch: of one sample. palette: (P, 3) uint8 of its source. truth: (T, T, 3) uint8, the finished
    target. paints: before and after, (S/2 * S/2,) of the pixels of the half-size map.
    """
    paper = 1 - batch["target_picture"][0, 0].numpy()[..., None]
    label = batch["target_label"][0].numpy()
    reference = batch["source_picture"][0, 1:4].permute(1, 2, 0).numpy() * 255
    side = len(paper)
    row = [paper * np.full(3, 255.0), reference]
    for paint in paints:
        colors = palette[paint.numpy().reshape(label.shape)]
        colors[label == 0] = 255
        row.append(cv2.resize(colors, (side, side), interpolation=cv2.INTER_NEAREST) * paper)
    row.append(cv2.resize(truth, (side, side), interpolation=cv2.INTER_AREA))
    return [np.clip(picture, 0, 255).astype(np.uint8) for picture in row]


def write_sheet(path: Path, rows: list[list[np.ndarray]]) -> None:
    """A PNG of the rows with their names above. Raises TrainingError."""
    side = rows[0][0].shape[0]
    width, height = len(NAMES) * (side + _GAP), _HEAD + len(rows) * (side + _GAP)
    sheet = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(NAMES):
        draw.text((column * (side + _GAP) + 4, 3), name, fill=(0, 0, 0))
        for number, row in enumerate(rows):
            at = column * (side + _GAP), _HEAD + number * (side + _GAP)
            sheet.paste(Image.fromarray(row[column]), at)
    write_whole(path, lambda file: sheet.save(file, "PNG"))

"""The lines over their colours, however the lines are drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging import planes
from backend.imaging.composite import composite
from backend.tasks import job
from protocol.pixels import PixelFormat

SIZE = 200
RED = (220, 30, 40)
INSIDE, BESIDE = (100, 70), (5, 5)
HINTS = np.zeros((SIZE, SIZE, 4), np.uint8)
HINTS[95:105, 95:105] = (*RED, 255)


def figure(ground: int = 0, fill: int = 0) -> np.ndarray:
    """(SIZE, SIZE, 4): a black circle on black of alpha ``ground``, filled with white or not."""
    line = np.zeros((SIZE, SIZE, 4), np.uint8)
    line[..., 3] = ground
    if fill:
        cv2.circle(line, (100, 100), 60, (255, 255, 255, 255), -1, cv2.LINE_AA)
    ring = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(ring, (100, 100), 60, 255, 4, cv2.LINE_AA)
    share = ring[..., None] / 255
    line[..., :3] = np.rint(line[..., :3] * (1 - share))
    line[..., 3] = np.maximum(line[..., 3], ring)
    return line


def picture(line: np.ndarray) -> np.ndarray:
    kind = PixelFormat.rgba8 if line.dtype == np.uint8 else PixelFormat.rgba16
    given = [
        planes.to_plane("line", line, kind),
        planes.to_plane("hints", HINTS, PixelFormat.rgba8),
    ]
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return planes.to_array(job.run("flats", given, {"outputs": ["picture"]}, **silent).outputs[0])


@pytest.mark.parametrize("deep", [False, True])
def test_a_figure_painted_white_has_its_colour_and_an_open_ground(deep: bool):
    line = figure(fill=255)
    shown = picture(line.astype(np.uint16) * 257 if deep else line)
    assert shown[INSIDE].tolist() == [*RED, 255]
    assert shown[BESIDE].tolist() == [0, 0, 0, 0]
    assert shown[100, 40].tolist() == [0, 0, 0, 255]
    on_white = shown[..., :3] * (shown[..., 3:] / 255) + 255.0 - shown[..., 3:]
    plain = picture(figure())
    plain_on_white = plain[..., :3] * (plain[..., 3:] / 255) + 255.0 - plain[..., 3:]
    assert np.abs(on_white - plain_on_white).mean() < 0.2  # as over colour with the lines alone


@pytest.mark.parametrize("ground", [1, 2, 3, 8])
def test_a_ground_that_is_hardly_there_is_no_ink(ground: int):
    shown = picture(figure(ground))
    assert shown.shape == (SIZE, SIZE, 3)
    assert np.abs(shown[INSIDE].astype(int) - RED).max() <= ground
    assert shown[BESIDE].min() >= 255 - ground
    assert shown[100, 40].max() < 5


def test_grey_lines_with_alpha_are_laid_on_white():
    line = np.zeros((4, 4, 2), np.uint8)
    line[..., 1] = 1
    line[1] = (0, 255)
    flats = np.full((4, 4, 4), (*RED, 255), np.uint8)
    shown = composite(line, flats)
    assert np.abs(shown[0].astype(int) - RED).max() <= 1 and not shown[1].any()


def test_half_transparent_colours_keep_their_alpha_under_a_white_figure():
    line = figure(fill=255)
    line[100:, :] = 0  # its lower half is open
    flats = np.zeros((SIZE, SIZE, 4), np.uint8)
    flats[120:140] = (*RED, 100)
    shown = composite(line, flats)
    assert np.abs(shown[130, 100].astype(int) - (*RED, 100)).max() <= 1

"""The shared animations as the measurements need them, and how much a coloured shot flickers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from training.metrics.regions import MIN_REGION_SHARE, closed_regions


@dataclass
class Shot:
    """``lines`` (H, W) and ``colors`` (H, W, 3) RGB, uint8, of each frame; ``maps``: files of its
    regions, where the set has them."""

    kind: str
    name: str
    lines: list[np.ndarray]
    colors: list[np.ndarray]
    maps: list[Path]
    _known: dict[int, np.ndarray] = field(default_factory=dict)

    def regions(self, at: int) -> np.ndarray:
        """(H, W) int32 region ids of a frame, 0 for none."""
        if at not in self._known:
            if self.maps:
                found = _read(self.maps[at], cv2.IMREAD_UNCHANGED).astype(np.int32)
            else:
                found = closed_regions(self.lines[at], self.colors[at])
            self._known[at] = found
        return self._known[at]


def find_shots(
    data: Path, kinds: Sequence[str] | None, most: int, part: str = "dev"
) -> Iterator[Shot]:
    """The shots of some sets, of three frames and more, at most ``most`` of a set."""
    for kind in kinds or sorted(path.name for path in data.glob("anim_*")):
        folders = [path for path in sorted((data / kind / part).glob("*")) if path.is_dir()]
        long = [path for path in folders if len(list(path.glob("line_*"))) > 2]
        for folder in long[:most]:
            colors = [_read(path, cv2.IMREAD_COLOR) for path in sorted(folder.glob("color_*"))]
            yield Shot(
                kind,
                folder.name,
                [_read(path, cv2.IMREAD_GRAYSCALE) for path in sorted(folder.glob("line_*"))],
                [cv2.cvtColor(color, cv2.COLOR_BGR2RGB) for color in colors],
                sorted(folder.glob("seg_*")),
            )


def flicker(shot: Shot, played: Sequence[np.ndarray]) -> float | None:
    """Mean CIEDE2000 between regions of successive frames, less that of the true colours.

    Two regions are one when each overlaps the other more than any else. ``played``: all frames,
    (H, W, 3) uint8. None where no regions match.
    """
    steps: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    for before, after in pairwise(range(len(played))):
        first, second = shot.regions(before), shot.regions(after)
        for one, other in matched_regions(first, second):
            here, there = first == one, second == other
            steps.append(
                (
                    np.median(played[before][here], axis=0),
                    np.median(played[after][there], axis=0),
                    np.median(shot.colors[before][here], axis=0),
                    np.median(shot.colors[after][there], axis=0),
                )
            )
    if not steps:
        return None
    lab = rgb2lab(np.array(steps) / 255)
    changes = deltaE_ciede2000(lab[:, 0], lab[:, 1]) - deltaE_ciede2000(lab[:, 2], lab[:, 3])
    return float(changes.mean())


def matched_regions(first: np.ndarray, second: np.ndarray) -> list[tuple[int, int]]:
    """Ids of regions (H, W) that overlap each other most, of at least 0.1 % of the picture."""
    overlap = np.zeros((int(first.max()) + 1, int(second.max()) + 1), np.int64)
    np.add.at(overlap, (first.ravel(), second.ravel()), 1)
    small = MIN_REGION_SHARE * first.size
    large = (np.bincount(first.ravel()) >= small, np.bincount(second.ravel()) >= small)
    overlap[0], overlap[:, 0] = 0, 0
    forth, back = overlap.argmax(1), overlap.argmax(0)
    return [
        (one, int(other))
        for one, other in enumerate(forth)
        if overlap[one, other] and back[other] == one and large[0][one] and large[1][other]
    ]


def _read(path: Path, flags: int) -> np.ndarray:
    picture = cv2.imread(str(path), flags)
    if picture is None:
        raise RuntimeError(f"{path} cannot be read")
    return picture

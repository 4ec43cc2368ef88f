"""Draws the example pages that `install.py demo` colours: `python draw.py [FOLDER] [NAME...]`."""

from __future__ import annotations

import sys
from pathlib import Path

from pages import autumn, boat, fox, tea, witch

PAGES = {
    "fox": (fox.draw, {"ink": "#2b1d1a"}),
    "witch": (witch.draw, {"ink": "#2c1f3d", "clear": True}),
    "boat": (boat.draw, {}),
    "tea": (tea.draw, {"ink": "#33424f"}),
    "autumn": (autumn.draw, {}),
}


def main(folder: Path, names: list[str]) -> None:
    """Write `NAME-line.png` and `NAME-hints.png` of every named page (all by default)."""
    for name in names or PAGES:
        draw, ink = PAGES[name]
        draw().save(folder, name, **ink)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent, sys.argv[2:])

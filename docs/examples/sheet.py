"""Puts drawings, hints and results side by side: `python sheet.py SHEET RESULTS NAME...`."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
WIDTH, MARGIN, GUTTER, HEAD = 420, 48, 32, 150
PAPER, INK, FAINT = "#f6f1e7", "#2b2630", "#8b8378"
COLUMNS = (("Lines", "what you draw"), ("Hints", "a few dabs of colour"), ("Nuri", "exact flats"))


def sheet(results: Path, names: list[str]) -> Image.Image:
    """One row a drawing: its lines, its hints over faint lines, and the result."""
    rows = [[_fitted(picture) for picture in _pictures(results, name)] for name in names]
    height = HEAD + sum(row[0].height + GUTTER for row in rows) + MARGIN - GUTTER
    page = Image.new("RGB", (2 * MARGIN + 3 * WIDTH + 2 * GUTTER, height), PAPER)
    draw = ImageDraw.Draw(page)
    for column, (title, below) in enumerate(COLUMNS):
        x = MARGIN + column * (WIDTH + GUTTER)
        draw.text((x, 44), title, INK, ImageFont.load_default(40))
        draw.text((x, 98), below, FAINT, ImageFont.load_default(20))
    y = HEAD
    for row in rows:
        for column, picture in enumerate(row):
            _place(page, picture, MARGIN + column * (WIDTH + GUTTER), y)
        y += row[0].height + GUTTER
    return page


def _pictures(results: Path, name: str) -> list[Image.Image]:
    line = _on_white(Image.open(HERE / f"{name}-line.png"))
    hints = Image.open(HERE / f"{name}-hints.png").convert("RGBA")
    faint = ImageChops.blend(line, Image.new("RGB", line.size, "white"), 0.66)
    faint.paste(hints, (0, 0), hints)
    return [line, faint, _on_white(Image.open(results / f"{name}.png"))]


def _on_white(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    page = Image.new("RGB", picture.size, "white")
    page.paste(picture, (0, 0), picture)
    return page


def _fitted(picture: Image.Image) -> Image.Image:
    height = round(picture.height * WIDTH / picture.width)
    return picture.resize((WIDTH, height), Image.Resampling.LANCZOS)


def _place(page: Image.Image, picture: Image.Image, x: int, y: int) -> None:
    """A picture with round corners and a soft shadow."""
    big = Image.new("L", (picture.width * 4, picture.height * 4))
    ImageDraw.Draw(big).rounded_rectangle((0, 0, big.width, big.height), 48, 255)
    mask = big.resize(picture.size, Image.Resampling.LANCZOS)
    shadow = Image.new("L", page.size)
    shadow.paste(mask.point(lambda value: value * 60 // 255), (x, y + 5))
    shadow = shadow.filter(ImageFilter.GaussianBlur(7))
    page.paste(Image.new("RGB", page.size, INK), (0, 0), shadow)
    page.paste(picture, (x, y), mask)


if __name__ == "__main__":
    sheet(Path(sys.argv[2]), sys.argv[3:]).save(sys.argv[1], optimize=True)

"""Learning curves as inline SVG that a screen reader can tell about and a phone can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 440, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 16, 12, 38
MOST_POINTS = 160
STYLES = 8  # colours of the style sheet; beyond them the dashes change

Points = Sequence[tuple[float, float]]
Place = Callable[[tuple[float, float]], tuple[float, float]]


def line_chart(
    identifier: str, title: str, series: Mapping[str, Points], unit: str = "step"
) -> str:
    """An SVG chart of one or more curves with axes, a description and a legend in HTML.

    `series` maps a name to (step, value) points. Points that are not finite are left out.
    Returns "" when nothing is left to draw.
    """
    curves = {name: thin(points) for name, points in series.items()}
    curves = {name: points for name, points in curves.items() if points}
    if not curves:
        return ""
    every = [point for points in curves.values() for point in points]
    x_ticks = ticks(min(x for x, _ in every), max(x for x, _ in every), 5)
    y_ticks = ticks(min(y for _, y in every), max(y for _, y in every), 5)
    x_low, x_high = x_ticks[0], x_ticks[-1]
    y_low, y_high = y_ticks[0], y_ticks[-1]

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = LEFT + (point[0] - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (point[1] - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)
        return round(x, 1), round(y, 1)

    parts = [_axis(place, x_ticks, y_ticks, unit)]
    parts += [
        _curve(index, [place(point) for point in points])
        for index, points in enumerate(curves.values())
    ]
    description = "; ".join(
        f"{name} from {number(points[0][1])} to {number(points[-1][1])}"
        for name, points in curves.items()
    )
    legend = "".join(
        '<li><svg class="key" viewBox="0 0 28 8" aria-hidden="true"><line x1="1" y1="4" x2="27" '
        f'y2="4" class="{style(index)}"/></svg>{escape(name)}</li>'
        for index, name in enumerate(curves)
    )
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{identifier}-t {identifier}-d">'
        f'<title id="{identifier}-t">{escape(title)}</title>'
        f'<desc id="{identifier}-d">{escape(description)}</desc>{"".join(parts)}</svg>'
        f'<ul class="legend">{legend}</ul></figure>'
    )


def thin(points: Points) -> list[tuple[float, float]]:
    """At most `MOST_POINTS` points: neighbours averaged, values that are not finite left out."""
    finite = [(float(x), float(y)) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    size = math.ceil(len(finite) / MOST_POINTS) or 1
    groups = [finite[start : start + size] for start in range(0, len(finite), size)]
    return [
        (sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group))
        for group in groups
    ]


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers that enclose low..high in about `count` equal steps.

    >>> ticks(0.0, 9.3, 5)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    if high <= low:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    raw = (high - low) / count
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    if last == first:
        last = first + 1
    return [round(index * step, 12) for index in range(first, last + 1)]


def number(value: float) -> str:
    """A number as short as it can be read: 0.0123, 4.6, 250k."""
    if value == 0:
        return "0"
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def style(index: int) -> str:
    """Class names of the curve at this place: its colour and its dashes."""
    return f"line s{index % STYLES} d{index // STYLES % 3}"


def _curve(index: int, points: Sequence[tuple[float, float]]) -> str:
    if len(points) == 1:
        x, y = points[0]
        return f'<circle cx="{x}" cy="{y}" r="4" class="{style(index)}"/>'
    path = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{path}" class="{style(index)}"/>'


def _axis(place: Place, x_ticks: Sequence[float], y_ticks: Sequence[float], unit: str) -> str:
    parts = []
    for value in y_ticks:
        _, y = place((x_ticks[0], value))
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{number(value)}</text>')
    below = HEIGHT - BOTTOM + 17
    for value in x_ticks:
        x, _ = place((value, y_ticks[0]))
        parts.append(f'<text x="{x}" y="{below}" text-anchor="middle">{number(value)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(unit)}</text>')
    return "".join(parts)

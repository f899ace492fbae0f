"""Small charts as SVG text: lines over named axes, no script, no font and no colour that means alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 14, 44
_DASHES = ("", "6 4", "2 3", "8 3 2 3")
_MARKS = ("circle", "square", "cross", "circle")
MARKED_POINTS = 40
"""A line of more points is drawn without marks."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart, drawn in the order of its points."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart for a page and for a picture alike."""

    kind: str
    """Short, for a file's name."""
    title: str
    x_name: str
    y_name: str
    lines: tuple[Line, ...]
    diagonal: bool = False

    @property
    def points(self) -> int:
        """Count the points of all lines."""
        return sum(len(line.points) for line in self.lines)


def drawn(one: Chart) -> str:
    """Give a chart as SVG in a figure."""
    return chart(one.title, one.x_name, one.y_name, one.lines, one.diagonal)


def chart(title: str, x_name: str, y_name: str, lines: Sequence[Line], diagonal: bool = False) -> str:
    """Give a chart of at least one line with a point; `diagonal` adds y = x."""
    points = [point for line in lines for point in line.points] or [(0.0, 0.0)]
    x_low, x_high = _ends([x for x, _ in points])
    y_low, y_high = _room([y for _, y in points])
    if diagonal:
        x_low = y_low = min(x_low, y_low)
        x_high = y_high = max(x_high, y_high)
        lines = [*lines, Line("said = came", ((x_low, y_low), (x_high, y_high)))]

    def place(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - _LEFT - _RIGHT)
        down = HEIGHT - _BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - _TOP - _BOTTOM)
        return round(across, 1), round(down, 1)

    body = [_line(at, [place(*point) for point in line.points]) for at, line in enumerate(lines)]
    words = _axis_words(x_name, y_name, (x_low, x_high, y_low, y_high))
    legend = " · ".join(f"{_key(at)} {escape(line.name)}" for at, line in enumerate(lines))
    view = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}"'
    frame = f'<path class="axis" d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}"/>'
    caption = f"<figcaption><b>{escape(title)}</b><br>{legend}</figcaption>"
    return f"<figure><svg {view}>{frame}{''.join(words)}{''.join(body)}</svg>{caption}</figure>"


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Give where the axis across begins and ends: no time before the first is shown."""
    low, high = min(values), max(values)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _room(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = 0.05 * (high - low) or 0.5
    return low - pad, high + pad


def _line(at: int, places: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x},{y}" for x, y in places)
    dash = f' stroke-dasharray="{_DASHES[at % 4]}"' if _DASHES[at % 4] else ""
    marked = places if len(places) <= MARKED_POINTS else ()
    marks = "".join(_mark(_MARKS[at % 4], x, y) for x, y in marked)
    return f'<g class="l{at % 4}"><polyline points="{path}"{dash}/>{marks}</g>'


def _mark(shape: str, x: float, y: float) -> str:
    match shape:
        case "square":
            return f'<rect x="{x - 2.5:.1f}" y="{y - 2.5:.1f}" width="5" height="5"/>'
        case "cross":
            return f'<path d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6"/>'
        case _:
            return f'<circle cx="{x}" cy="{y}" r="2.5"/>'


def _key(at: int) -> str:
    return ("●―", "■- -", "✕··", "●-·")[at % 4]


def _axis_words(x_name: str, y_name: str, ends: tuple[float, float, float, float]) -> list[str]:
    x_low, x_high, y_low, y_high = (f"{end:.4g}" for end in ends)
    base = HEIGHT - _BOTTOM
    return [
        f'<text x="{_LEFT}" y="{base + 15}">{x_low}</text>',
        f'<text x="{WIDTH - _RIGHT}" y="{base + 15}" text-anchor="end">{x_high}</text>',
        f'<text x="{(WIDTH + _LEFT) // 2}" y="{base + 32}" text-anchor="middle">{escape(x_name)}</text>',
        f'<text x="{_LEFT - 5}" y="{base}" text-anchor="end">{y_low}</text>',
        f'<text x="{_LEFT - 5}" y="{_TOP + 8}" text-anchor="end">{y_high}</text>',
        f'<text x="14" y="{base // 2}" text-anchor="middle" transform="rotate(-90 14 {base // 2})">'
        f"{escape(y_name)}</text>",
    ]

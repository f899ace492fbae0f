"""Where every panel goes at a given size, and how the rules around them meet.

Pure: sizes in, rectangles out. Three layouts: FULL (three columns, from 116x36), COMPACT (ladder beside
cards and orders, from 80x24) and LINE (what must never leave the screen, then as much as there are rows).
Panels never overlap and together fill the whole area.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from widgets.frame import Frame
from widgets.glyphs import JUNCTIONS

FULL_SIZE = (116, 36)
LINE_HINTS_FROM = 8
"""Rows from which a screen below 80x24 spares one for the keys."""
COMPACT_SIZE = (80, 24)
HEADER_ROWS = 3


@dataclass(frozen=True, slots=True)
class Share:
    """How high a panel wants to be: at least `least`, at most `most` rows, and its weight of what is left."""

    name: str
    least: int
    weight: int = 1
    most: int = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """The panels of one screen: columns from left to right, then panels over the full width."""

    columns: tuple[tuple[Share, ...], ...]
    widths: tuple[tuple[int, int, int], ...]
    """(least inner width, weight, most inner width) of each column."""
    bottom: tuple[Share, ...]
    small: tuple[str, ...] = ()
    """Panels that stay first where the screen has no room for all of them."""


PAGES: Mapping[str, Page] = {
    "trading": Page(
        columns=(
            (Share("ladder", 14, 3), Share("tape", 5, 1)),
            (
                Share("chart", 6, 5),
                Share("score", 6, 3, 13),
                Share("imbalance", 5, 2, 9),
                Share("why", 7, 5, 13),
            ),
            (
                Share("proposals", 9, 4, 13),
                Share("permits", 4, 2, 9),
                Share("position", 6, 3, 9),
                Share("orders", 6, 4),
            ),
        ),
        widths=((35, 35, 60), (37, 38, 10_000), (44, 27, 70)),
        bottom=(Share("alerts", 3, 1, 6), Share("chain", 2, 0, 2)),
    ),
    "orders": Page(
        columns=((Share("orders", 9, 4),),),
        widths=((100, 1, 10_000),),
        bottom=(
            Share("position", 9, 0, 9),
            Share("permits", 6, 1, 10),
            Share("alerts", 3, 1, 8),
            Share("chain", 2, 0, 2),
        ),
        small=("position", "orders"),
    ),
    "health": Page(
        columns=((Share("workers", 4, 1, 10), Share("stages", 4, 1, 9), Share("limits", 8, 1)),),
        widths=((100, 1, 10_000),),
        bottom=(Share("alerts", 5, 1), Share("chain", 3, 0, 3)),
        small=("workers", "stages", "limits"),
    ),
    "model": Page(
        columns=(
            (Share("skill", 9, 1), Share("reliability", 12, 0, 12)),
            (Share("model", 6, 2), Share("score", 8, 1)),
        ),
        widths=((60, 3, 10_000), (50, 2, 10_000)),
        bottom=(Share("alerts", 3, 1, 5), Share("chain", 2, 0, 2)),
        small=("skill", "model"),
    ),
}

_COMPACT_RIGHT = (Share("proposals", 8, 2, 13), Share("permits", 2, 1, 6), Share("orders", 4, 2))
_COMPACT_RIGHT_TALL = (*_COMPACT_RIGHT[:2], Share("position", 6, 1, 9), _COMPACT_RIGHT[2])


@dataclass(frozen=True, slots=True)
class Place:
    """One panel's rectangle and its rules."""

    x: int
    y: int
    width: int
    height: int
    frame: Frame = Frame()


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle before its rules are joined: which sides are drawn inside of it."""

    name: str
    x: int
    y: int
    width: int
    height: int
    left: bool = False
    right: bool = False
    bottom: bool = False


def kind_of(width: int, height: int) -> str:
    """Give the layout for a size: `full`, `compact` or `line`."""
    if width >= FULL_SIZE[0] and height >= FULL_SIZE[1]:
        return "full"
    return "compact" if width >= COMPACT_SIZE[0] and height >= COMPACT_SIZE[1] else "line"


def has_hints(width: int, height: int) -> bool:
    """Tell whether a screen of this size has a row for the keys."""
    return kind_of(width, height) != "line" or height >= LINE_HINTS_FROM


def plan(width: int, height: int, page: str = "trading", maximised: str = "") -> dict[str, Place]:
    """Give the place of every panel that is shown, by name, in the order in which focus goes round."""
    kind = kind_of(width, height)
    if width <= 0 or height <= 0:
        return {}
    if kind == "line":
        if not has_hints(width, height):
            return {"status": Place(0, 0, width, height)}
        return {"status": Place(0, 0, width, height - 1), "hints": Place(0, height - 1, width, 1)}
    if maximised:
        boxes = _single(width, height, maximised)
    elif kind == "full":
        boxes = _full(width, height, PAGES[page])
    elif page == "trading":
        boxes = _compact(width, height)
    else:
        boxes = _stacked(width, height, PAGES[page])
    places = _joined(boxes)
    places["status"] = Place(0, 0, width, HEADER_ROWS)
    places["hints"] = Place(0, height - 1, width, 1)
    return places


def divide(total: int, shares: Sequence[Share]) -> list[int]:
    """Divide rows among shares: least first, the rest by weight up to `most`, what still is left to the last.

    Where even the least do not fit, the later shares get what remains, down to nothing.
    """
    rows: list[int] = []
    for share in shares:
        rows.append(min(share.least, max(0, total - sum(rows))))
    extra = total - sum(rows)
    while extra > 0:
        open_shares = [
            index for index, share in enumerate(shares) if share.weight and rows[index] < share.most
        ]
        if not open_shares:
            rows[-1] += extra
            break
        weights = sum(shares[index].weight for index in open_shares)
        given = 0
        for index in open_shares:
            part = min(extra * shares[index].weight // weights, shares[index].most - rows[index])
            rows[index] += part
            given += part
        if given == 0:
            heaviest = max(open_shares, key=lambda index: shares[index].weight)
            rows[heaviest] += 1
            given = 1
        extra -= given
    return rows


def _single(width: int, height: int, name: str) -> list[_Box]:
    body = height - HEADER_ROWS - 1
    if name == "chain":
        return [_Box("chain", 0, HEADER_ROWS, width, body, True, True, True)]
    upper = body - 3
    return [
        _Box(name, 0, HEADER_ROWS, width, upper, True, True),
        _Box("chain", 0, HEADER_ROWS + upper, width, 3, True, True, True),
    ]


def _full(width: int, height: int, page: Page) -> list[_Box]:
    body = height - HEADER_ROWS - 1
    least = max(sum(share.least for share in column) for column in page.columns)
    shares = (Share("", least, 6), *page.bottom)
    rows = divide(body - 1, shares)
    boxes: list[_Box] = []
    x = 0
    inner = _column_widths(width - len(page.columns) - 1, page.widths)
    for place, (column, cells) in enumerate(zip(page.columns, inner, strict=True)):
        last = place == len(page.columns) - 1
        boxes += _column(column, x, HEADER_ROWS, cells + 1 + last, rows[0], right=last)
        x += cells + 1
    y = HEADER_ROWS + rows[0]
    for share, high in zip(page.bottom, rows[1:], strict=True):
        last = share is page.bottom[-1]
        boxes.append(_Box(share.name, 0, y, width, high + last, True, True, last))
        y += high
    return boxes


def _column(shares: Sequence[Share], x: int, y: int, width: int, height: int, right: bool) -> list[_Box]:
    boxes: list[_Box] = []
    for share, high in zip(shares, divide(height, shares), strict=True):
        if high > 0:
            boxes.append(_Box(share.name, x, y, width, high, True, right))
        y += high
    return boxes


def _column_widths(total: int, widths: Sequence[tuple[int, int, int]]) -> list[int]:
    shares = [Share("", least, weight, most) for least, weight, most in widths]
    return divide(total, shares)


def _compact(width: int, height: int) -> list[_Box]:
    body = height - HEADER_ROWS - 1
    lines = 6
    upper = body - lines
    left = min(60, width * 36 // 80)
    right = _COMPACT_RIGHT_TALL if upper >= 24 else _COMPACT_RIGHT
    boxes = [_Box("ladder", 0, HEADER_ROWS, left, upper)]
    boxes += _column(right, left, HEADER_ROWS, width - left, upper, right=False)
    boxes.append(_Box("market", 0, HEADER_ROWS + upper, width, lines))
    return boxes


def _stacked(width: int, height: int, page: Page) -> list[_Box]:
    """Put a page's panels under one another; those that do not fit are left out, the chain always stays."""
    panels = [share for column in page.columns for share in column] + list(page.bottom)
    body = height - HEADER_ROWS - 1
    kept = [share for share in panels if share.name == "chain"]
    for share in sorted(panels, key=lambda share: share.name not in page.small):
        if share.name != "chain" and sum(s.least for s in kept) + share.least <= body:
            kept.append(share)
    ordered = [share for share in panels if share in kept]
    boxes: list[_Box] = []
    y = HEADER_ROWS
    for share, high in zip(ordered, divide(body, ordered), strict=True):
        boxes.append(_Box(share.name, 0, y, width, high))
        y += high
    return boxes


def _joined(boxes: Sequence[_Box]) -> dict[str, Place]:
    """Draw the rules of all boxes on one grid, so that they join where they meet."""
    flat, upright = _ruled_cells(boxes)
    ruled = flat | upright

    def glyph(x: int, y: int) -> str:
        here = (x, y)
        arms = (
            (x, y - 1) in ruled and bool({here, (x, y - 1)} & upright),
            (x, y + 1) in ruled and bool({here, (x, y + 1)} & upright),
            (x - 1, y) in ruled and bool({here, (x - 1, y)} & flat),
            (x + 1, y) in ruled and bool({here, (x + 1, y)} & flat),
        )
        return JUNCTIONS.get(arms, "─" if here in flat else "│")

    places: dict[str, Place] = {}
    for box in boxes:
        end_x, end_y = box.x + box.width, box.y + box.height
        inside = range(box.y + 1, end_y - (1 if box.bottom else 0))
        places[box.name] = Place(
            box.x,
            box.y,
            box.width,
            box.height,
            Frame(
                top="".join(glyph(x, box.y) for x in range(box.x, end_x)),
                left="".join(glyph(box.x, y) for y in inside) if box.left else "",
                right="".join(glyph(end_x - 1, y) for y in inside) if box.right else "",
                bottom="".join(glyph(x, end_y - 1) for x in range(box.x, end_x)) if box.bottom else "",
            ),
        )
    return places


def _ruled_cells(boxes: Sequence[_Box]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Give the cells of horizontal and of vertical rules."""
    flat: set[tuple[int, int]] = set()
    upright: set[tuple[int, int]] = set()
    for box in boxes:
        end_x, end_y = box.x + box.width, box.y + box.height
        flat |= {(x, box.y) for x in range(box.x, end_x)}
        if box.bottom:
            flat |= {(x, end_y - 1) for x in range(box.x, end_x)}
        for drawn, x in ((box.left, box.x), (box.right, end_x - 1)):
            if drawn:
                upright |= {(x, y) for y in range(box.y, end_y)}
    return flat, upright

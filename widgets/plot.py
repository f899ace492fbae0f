"""Pure pictures in text: bars, sparklines and braille line charts, each of exactly the width asked for.

Values are integers; what is missing is None and leaves its place empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from widgets import glyphs

_DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of a braille dot by row (from the top) and column."""


def bar(value: int, full: int, width: int) -> str:
    """Draw a bar from the left, in eighths of a cell; anything above zero shows at least one eighth.

    >>> bar(50, 100, 4), bar(1, 1000, 3), bar(0, 10, 2)
    ('██  ', '▏  ', '  ')
    """
    eighths = _steps(value, full, width * 8)
    whole, rest = divmod(eighths, 8)
    return (glyphs.FULL * whole + (glyphs.LEFT_EIGHTHS[rest] if rest else "")).ljust(width)


def bar_from_right(value: int, full: int, width: int) -> str:
    """Draw a bar from the right, in halves of a cell."""
    whole, rest = divmod(_steps(value, full, width * 2), 2)
    return ((glyphs.HALF_RIGHT if rest else "") + glyphs.FULL * whole).rjust(width)


def half_bar(value: int, full: int, width: int) -> str:
    """Draw a bar from the left in halves of a cell: the mirror of `bar_from_right`."""
    whole, rest = divmod(_steps(value, full, width * 2), 2)
    return (glyphs.FULL * whole + (glyphs.HALF_LEFT if rest else "")).ljust(width)


def _steps(value: int, full: int, most: int) -> int:
    if value <= 0 or full <= 0 or most <= 0:
        return 0
    return max(1, min(most, (value * most + full // 2) // full))


def centre_bar(value: int, full: int, half_width: int) -> tuple[str, str]:
    """Draw a signed bar around a centre: (left half, right half), each `half_width` cells."""
    if value < 0:
        return bar_from_right(-value, full, half_width), " " * half_width
    return " " * half_width, half_bar(value, full, half_width)


def sparkline(values: Sequence[int | None], low: int, high: int, width: int) -> str:
    """Draw the newest values as one row of blocks, newest at the right."""
    span = max(1, high - low)
    picture = []
    for value in values[-width:] if width > 0 else ():
        if value is None:
            picture.append(" ")
        else:
            level = (value - low) * 7 // span
            picture.append(glyphs.LOWER_EIGHTHS[max(0, min(7, level)) + 1])
    return "".join(picture).rjust(max(0, width))


def whole_columns(values: tuple[int, ...], per_column: int, phase: int) -> tuple[int, ...]:
    """Give the values of the columns that are complete, a multiple of `per_column` of them.

    `phase` is the number of the newest value, counted from any fixed moment: columns end where it is one less
    than a multiple of `per_column`. So an old column never changes, it only moves, and between two ends the
    picture of a sliding path stands still. The oldest column is left out while it slides off.
    """
    begun = (phase + 1) % per_column
    done = values[: len(values) - begun]
    most = (len(values) - per_column + 1) // per_column * per_column
    return done[len(done) - most :] if most > 0 else ()


def averages(values: Sequence[int | None], per_column: int) -> list[int | None]:
    """Average each `per_column` neighbours; None where all of them are missing."""
    columns: list[int | None] = []
    for start in range(0, len(values), per_column):
        part = [value for value in values[start : start + per_column] if value is not None]
        columns.append(sum(part) // len(part) if part else None)
    return columns


def braille_chart(columns: Sequence[int | None], low: int, high: int, width: int, height: int) -> list[str]:
    """Draw a line through the columns, newest at the right edge; two dots a cell across, four up.

    `low` and `high` are the values of the lowest and highest dot row; values outside lie on the edge.
    """
    dots_across, dots_up = width * 2, height * 4
    masks = [[0] * width for _ in range(height)]
    shown = list(columns[-dots_across:])
    offset = dots_across - len(shown)
    previous: int | None = None
    for index, value in enumerate(shown):
        if value is None:
            previous = None
            continue
        level = _level(value, low, high, dots_up)
        start = level if previous is None else previous
        _stroke(masks, offset + index, start, level, dots_up)
        previous = level
    return ["".join(chr(glyphs.BRAILLE + mask) if mask else " " for mask in row) for row in masks]


def _level(value: int, low: int, high: int, dots: int) -> int:
    """Give the dot row of a value, counted from below."""
    span = max(1, high - low)
    return min(dots - 1, max(0, ((value - low) * (dots - 1) * 2 + span) // (2 * span)))


def _stroke(masks: list[list[int]], x: int, start: int, level: int, dots_up: int) -> None:
    """Set the dots of one column from just after the previous level to this one."""
    if start < level:
        rows = range(start + 1, level + 1)
    elif start > level:
        rows = range(level, start)
    else:
        rows = range(level, level + 1)
    for row in rows:
        from_top = dots_up - 1 - row
        masks[from_top // 4][x // 2] |= _DOT_BITS[from_top % 4][x % 2]


def full_scale(most: int) -> int:
    """Give the size a full bar stands for: `most` rounded up coarsely, so that bars do not dance with it.

    >>> [full_scale(n) for n in (1, 7, 11, 247, 5_770)]
    [1, 8, 15, 300, 6000]
    """
    power: int = 10 ** (len(str(max(1, most))) - 1)
    return next(
        factor * power // 2 for factor in (2, 3, 4, 6, 8, 10, 12, 16, 20) if factor * power // 2 >= most
    )


def nice_step(least: int) -> int:
    """Give the smallest of 1, 2, 5, 10, 20, 50, ... that is not below `least`.

    >>> [nice_step(n) for n in (0, 1, 3, 6, 11, 247)]
    [1, 1, 5, 10, 20, 500]
    """
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= least:
                return factor * power
        power *= 10

"""Lines of a panel as tuples of (text, role), and how they are fitted, flowed and compared.

Pure: no Textual here. A segment is the unit that is shown whole or not at all; only words are ever shortened
(`cells.crop`), numbers never.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from widgets.cells import cell_width

Segment = tuple[str, str]
"""(text, role); roles are the keys of `roles.ROLES`."""
Line = tuple[Segment, ...]
Item = tuple[int, Line]
"""(priority, segments): items of a low number stay longest where there is not enough room."""

BLANK: Line = ()


def line_width(line: Line) -> int:
    """Give the number of cells a line takes."""
    return cell_width(line_text(line))


def line_text(line: Line) -> str:
    """Give the characters of a line without its roles."""
    return "".join([words for words, _ in line])


def text(words: str, role: str = "text") -> Line:
    """Make a line of one segment; of none where there are no words."""
    return ((words, role),) if words else BLANK


def join(parts: Iterable[Line], gap: int) -> Line:
    """Put lines behind one another with `gap` blanks between; empty ones leave no gap."""
    joined: list[Segment] = []
    for part in parts:
        if joined and gap and part:
            joined.append((" " * gap, "text"))
        joined.extend(part)
    return tuple(joined)


def fit(items: Sequence[Item], width: int, gap: int = 2) -> Line:
    """Show as many items as fit in `width`, the lowest priority numbers first, in their order."""
    kept = sorted(range(len(items)), key=lambda index: (items[index][0], index))
    while kept:
        line = join((items[index][1] for index in sorted(kept)), gap)
        if line_width(line) <= width:
            return line
        kept.pop()
    return BLANK


def spread(start: Line, end: Line, width: int) -> Line:
    """Put `end` at the right edge; it is left out where both do not fit."""
    room = width - line_width(start) - line_width(end)
    if room < 1 and end:
        return start
    return (*start, (" " * room, "text"), *end) if end else start


def flow(parts: Sequence[Line], width: int, gap: int = 2, indent: int = 0) -> list[Line]:
    """Lay parts out over as many lines as they need, none of them split; later lines start `indent` in."""
    lines: list[Line] = []
    current: list[Line] = []
    used = 0
    for part in parts:
        size = line_width(part)
        if current and used + gap + size > width:
            lines.append(_indented(current, gap, indent if lines else 0))
            current, used = [], indent
        used += size + (gap if current else 0)
        current.append(part)
    if current:
        lines.append(_indented(current, gap, indent if lines else 0))
    return lines


def _indented(parts: Sequence[Line], gap: int, indent: int) -> Line:
    line = join(parts, gap)
    return ((" " * indent, "text"), *line) if indent else line


def wrap(words: str, role: str, width: int) -> list[Line]:
    """Break a sentence at its blanks into lines of at most `width` cells, where its words allow it."""
    return flow([((word, role),) for word in words.split()], width, gap=1)


def exact(line: Line, width: int) -> Line:
    """Make a line exactly `width` cells: padded, or without the segments that do not fit, marked by `…`."""
    used = line_width(line)
    if used <= width:
        return (*line, (" " * (width - used), "text")) if used < width else line
    kept: list[Segment] = []
    room = width - 1
    for segment in line:
        size = cell_width(segment[0])
        if size > room:
            break
        kept.append(segment)
        room -= size
    kept.append(("…" + " " * room, "dim"))
    return tuple(kept) if width > 0 else BLANK


def changed_runs(before: Line, after: Line, gap: int = 6) -> list[tuple[int, int]]:
    """Give the cell ranges (start, end) in which two lines of equal width differ, close ones joined.

    Two runs with fewer than `gap` equal cells between them cost less drawn as one.
    """
    if before == after:
        return []
    runs: list[tuple[int, int]] = []
    before = tuple(segment for segment in before if segment[0])
    after = tuple(segment for segment in after if segment[0])
    for start, end in _differences(before, after):
        if runs and start - runs[-1][1] < gap:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _differences(before: Line, after: Line) -> list[tuple[int, int]]:
    if (
        [len(words) for words, _ in before] != [len(words) for words, _ in after]
        or _wide(before)
        or _wide(after)
    ):
        return [_outer_difference(before, after)]
    found: list[tuple[int, int]] = []
    position = 0
    for old, new in zip(before, after, strict=True):
        size = len(new[0])
        if old != new:
            found.append(_within(old, new, position, size))
        position += size
    return found


def _wide(line: Line) -> bool:
    return line_width(line) != len(line_text(line))


def _within(old: Segment, new: Segment, position: int, size: int) -> tuple[int, int]:
    """Narrow a changed segment to its changed characters; each is one cell wide."""
    if old[1] != new[1]:
        return position, position + size
    differing = [index for index in range(size) if old[0][index] != new[0][index]]
    return position + differing[0], position + differing[-1] + 1


def _outer_difference(before: Line, after: Line) -> tuple[int, int]:
    """Leave out the equal segments at both ends."""
    start = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        start += cell_width(new[0])
    end = line_width(after)
    for old, new in zip(reversed(before), reversed(after), strict=False):
        if old != new or end - cell_width(new[0]) < start:
            break
        end -= cell_width(new[0])
    return start, max(end, start + 1)


def pick_rows(rows: Sequence[Item], height: int) -> list[Line]:
    """Keep the rows with the lowest priority numbers that fit in `height`, in their order."""
    order = sorted(range(len(rows)), key=lambda index: (rows[index][0], index))[: max(0, height)]
    return [rows[index][1] for index in sorted(order)]


def shortened(lines: Sequence[Line], height: int) -> list[Line]:
    """Keep the first lines of a list; the last line says how many are not shown."""
    if len(lines) <= height:
        return list(lines)
    if height <= 0:
        return []
    return [*lines[: height - 1], text(f"  {len(lines) - height + 1} more", "dim")]


def overprint(lines: Sequence[Line], words: str, role: str, width: int) -> list[Line]:
    """Write words over the middle line, which is blanked for them."""
    if not lines or width <= 0:
        return list(lines)
    label = f" {words} "[:width]
    before = (width - cell_width(label)) // 2
    printed = list(lines)
    printed[len(lines) // 2] = ((" " * before, "text"), (label, role))
    return printed

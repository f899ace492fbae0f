"""Lines of a panel as tuples of (text, role), and how they are fitted, flowed and compared.

Pure: no Textual here. A segment is the unit that is shown whole or not at all; only words are ever shortened
(`cells.crop`), numbers never.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import repeat

from widgets.cells import cell_width

Segment = tuple[str, str]
"""(text, role); roles are the keys of `roles.ROLES`."""
Line = tuple[Segment, ...]
Item = tuple[int, Line]
"""(priority, segments): items of a low number stay longest where there is not enough room."""

BLANK: Line = ()


def plain(value: object) -> object:
    """Give a slice of a snapshot as nested tuples, which compare by what they hold."""
    if isinstance(value, tuple):
        return tuple([plain(item) for item in value])
    fields = getattr(value, "__struct_fields__", None)
    return tuple([getattr(value, field) for field in fields]) if fields else value


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
    kept = [(priority, place, line, line_width(line)) for place, (priority, line) in enumerate(items) if line]
    total = sum(size + gap for _, _, _, size in kept) - gap
    while kept and total > width:
        worst = max(kept)
        kept.remove(worst)
        total -= worst[3] + gap
    return join([line for _, _, line, _ in kept], gap)


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


def changed_runs(
    before: Line, after: Line, quiet: Container[str] = frozenset(), gap: int = 6
) -> list[tuple[int, int]]:
    """Give the cell ranges (start, end) in which two lines of equal width differ, close ones joined.

    A blank is a blank in any of the `quiet` roles. Two runs with fewer than `gap` equal cells between them
    cost less drawn as one.
    """
    width = line_width(after)
    old, new = line_text(before), line_text(after)
    if len(old) != width or len(new) != width:
        return [(0, width)] if before != after else []
    if [len(words) for words, _ in before] == [len(words) for words, _ in after]:
        found = _by_segment(before, after, quiet)
    else:
        found = _by_cell(old, new, zip(_roles(before), _roles(after), strict=True), quiet)
    runs: list[tuple[int, int]] = []
    for start, end in found:
        if runs and start - runs[-1][1] < gap:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _by_segment(before: Line, after: Line, quiet: Container[str]) -> Iterator[tuple[int, int]]:
    """Compare lines that are cut alike: the cheap way, and the usual one."""
    position = 0
    for (old, role_was), (new, role_now) in zip(before, after, strict=True):
        size = len(new)
        if role_was != role_now:
            blank = old == new and new.isspace() and role_was in quiet and role_now in quiet
            if size and not blank:
                yield position, position + size
        elif old != new:
            first, last = 0, size - 1
            while old[first] == new[first]:
                first += 1
            while old[last] == new[last]:
                last -= 1
            yield position + first, position + last + 1
        position += size


def _by_cell(
    old: str, new: str, roles: Iterable[tuple[str, str]], quiet: Container[str]
) -> Iterator[tuple[int, int]]:
    """Compare lines that are cut differently, cell by cell."""
    for cell, (was, now, (role_was, role_now)) in enumerate(zip(old, new, roles, strict=True)):
        if was != now or (
            role_was != role_now and not (now == " " and role_was in quiet and role_now in quiet)
        ):
            yield cell, cell + 1


def _roles(line: Line) -> Iterator[str]:
    """Give the role of every character."""
    for words, role in line:
        yield from repeat(role, len(words))


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

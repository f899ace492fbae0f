"""Send only the cells that changed, and colours only when they change.

Textual's own partial update writes a widget's row from its left edge up to the last dirty cell, and every
segment with all its colours. Here a span is written from its first to its last cell, and one running
colour state goes through the whole update. Panels mark every changed run of a row by itself
(`SnapshotWidget.spans`).

This leans on private names of Textual (`Screen._compositor`, `_dirty_widgets`, `ChopsUpdate`), which the
lock file pins and a test watches; without `make_lean` everything works, with more bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.dom import NoScreen
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from widgets.cells import cell_width

_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}
_ATTRIBUTES = (
    ("bold", "1"),
    ("dim", "2"),
    ("italic", "3"),
    ("underline", "4"),
    ("reverse", "7"),
    ("strike", "9"),
)


class LeanUpdate(ChopsUpdate):
    """A partial update that holds nothing but the changed cells."""

    def render_segments(self, console: Console) -> str:
        """Give the terminal sequences: a cursor move for every span, colours where they change, one reset."""
        system = _SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        written: list[str] = []
        current: Style | None = None
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                written.append(f"\x1b[{y + 1};{max(x, x1) + 1}H")
                for words, style in cut(strip, max(x, x1) - x, min(end, x2) - x):
                    if style is not current:
                        written.append(transition(current, style, system))
                        current = style
                    written.append(words)
        written.append("\x1b[0m")
        return "".join(written)


class LeanCompositor(Compositor):
    """Textual's compositor with lean partial updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Render what is dirty, or None."""
        update = super().render_partial_update()
        return None if update is None else LeanUpdate(update.chops, update.spans, update.chop_ends)


def make_lean(screen: Screen[Any]) -> None:
    """Let a screen send lean updates; call it in the screen's constructor, before anything is mounted."""
    screen._compositor = LeanCompositor()


def is_lean(screen: Screen[Any]) -> bool:
    """Tell whether a screen sends lean updates."""
    return isinstance(screen._compositor, LeanCompositor)


def mark_dirty(widget: Widget, regions: Iterable[Region]) -> None:
    """Have regions of a widget on a lean screen painted again, without the round of messages of `refresh`.

    Those messages wake the widget's task and the screen's for every widget of every picture: at ten pictures
    a second they cost as much as drawing.
    """
    try:
        screen = widget.screen
    except NoScreen:  # On its way out; nothing of it is to be seen any more.
        return
    widget._repaint_regions.update(regions)
    screen._dirty_widgets.add(widget)
    screen.check_idle()


def cut(strip: Strip, start: int, end: int) -> list[tuple[str, Style]]:
    """Give the segments of the cells from `start` to `end`; a wide character on the border becomes blanks."""
    found: list[tuple[str, Style]] = []
    position = 0
    for words, style, _ in strip:
        size = cell_width(words)
        first, last = max(start, position), min(end, position + size)
        if first < last:
            part = words if last - first == size else _part(words, size, first - position, last - position)
            found.append((part, style or _PLAIN))
        position += size
        if position >= end:
            break
    return found


_PLAIN = Style()


def _part(words: str, size: int, first: int, last: int) -> str:
    if len(words) == size:
        return words[first:last]
    cells: list[str] = []
    for character in words:
        wide = cell_width(character)
        cells += [character] if wide == 1 else [character, *[""] * (wide - 1)]
    part = "".join(cells[first:last])
    return part if cell_width(part) == last - first else " " * (last - first)


@lru_cache(maxsize=4096)
def transition(before: Style | None, after: Style, system: ColorSystem) -> str:
    """Give the shortest sequence that turns one style into the other; None is an unknown state."""
    codes = _codes(after, system)
    if before is not None:
        old = _codes(before, system)
        if old[0] == codes[0]:
            changed = [new for was, new in zip(old[1:], codes[1:], strict=True) if was != new]
            if all(changed):
                return f"\x1b[{';'.join(changed)}m" if changed else ""
    return f"\x1b[{';'.join(code for code in ('0', *codes) if code)}m"


def _codes(style: Style, system: ColorSystem) -> tuple[str, str, str]:
    """Give the codes of attributes, foreground and background; empty where there are none."""
    attributes = ";".join(code for name, code in _ATTRIBUTES if getattr(style, name))
    foreground = style.color.downgrade(system).get_ansi_codes(True) if style.color else ()
    background = style.bgcolor.downgrade(system).get_ansi_codes(False) if style.bgcolor else ()
    return attributes, ";".join(foreground), ";".join(background)

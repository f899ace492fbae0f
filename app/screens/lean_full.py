"""Whole pictures in few bytes: what `widgets.lean` does for changed cells, for a screen that is painted anew.

Textual sends every segment with all its colours; a screen of 160x48 is 35 kB that way, and several seconds
on a thin link. One running colour state goes through the whole picture here.
"""

from __future__ import annotations

from typing import Any

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.screen import Screen

from widgets.lean import LeanCompositor, transition

_PLAIN = Style()
_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}


class LeanLayout(LayoutUpdate):
    """A full update that sends a colour only where it changes."""

    def render_segments(self, console: Console) -> str:
        """Give the terminal sequences: a cursor move for every row, colours where they change, one reset."""
        system = _SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        written: list[str] = []
        current: Style | None = None
        for y, line in enumerate(self.strips, self.region.y + 1):
            written.append(f"\x1b[{y};{self.region.x + 1}H")
            for strip in line:
                for words, style, _ in strip:
                    if style is not current:
                        written.append(transition(current, style or _PLAIN, system))
                        current = style or _PLAIN
                    written.append(words)
        written.append("\x1b[0m")
        return "".join(written)


class ConsoleCompositor(LeanCompositor):
    """Lean in everything it sends."""

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        """Render everything."""
        update = super().render_full_update(simplify)
        return update if simplify else LeanLayout(update.strips, update.region)


def make_all_lean(screen: Screen[Any]) -> None:
    """Let a screen send lean pictures, whole and partial; call it in the screen's constructor."""
    screen._compositor = ConsoleCompositor()

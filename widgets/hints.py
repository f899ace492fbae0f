"""The foot: at most a handful of keys, or the one strip that asks for Enter, in as many rows as it needs."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.snapshot import ConsoleSnapshot
from widgets.base import SnapshotWidget
from widgets.cells import cell_width, clean, left
from widgets.lines import Item, Line, fit, join, line_text, line_width, text, wrap

DEFAULT_HINTS = (
    ("a", "permit"), ("d", "not now"), ("w", "window"), ("x", "cancel"), ("X", "ours"),
    ("F", "flat"), ("p", "HALT"), ("m", "down"), ("?", "keys"), ("q", "quit"),
)  # fmt: skip
"""Keys and words, most important first where the line is too short for all."""
_BETWEEN_CLAUSES = "   "
ALWAYS = 2
"""How many of the last hints stay longest: who finds no key needs the one that lists them."""


class HintsPanel(SnapshotWidget):
    """Key hints; a strip takes their place while it stands."""

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Show the usual keys."""
        super().__init__(plain=plain, id=id)
        self._hints: tuple[tuple[str, str], ...] = DEFAULT_HINTS
        self._strip = ""
        self._role = "selected"

    def set_hints(self, hints: Sequence[tuple[str, str]]) -> None:
        """Show these (key, words), the most important first."""
        self._hints = tuple(hints)
        self.redraw()

    def set_strip(self, words: str, role: str = "selected") -> None:
        """Show one line in place of the hints; empty gives the hints back."""
        self._strip, self._role = clean(words, 400), role
        self.redraw()

    def strip_rows(self, width: int) -> int:
        """Give how many rows the strip needs to be read whole; 0 without one."""
        return len(self._strip_parts(width)) if self._strip else 0

    def _strip_parts(self, width: int) -> list[Line]:
        if cell_width(self._strip) <= width - 2:
            return [text(self._strip, self._role)]
        clauses = self._strip.split(_BETWEEN_CLAUSES)  # what the keys do begins a line of its own
        return [row for words in clauses for row in wrap(words, self._role, max(1, width - 2))]

    def show(self, snapshot: ConsoleSnapshot, screen_age_ms: int = 0) -> None:
        """Take note of a snapshot; nothing here depends on it, so nothing is drawn anew."""
        del screen_age_ms
        self.keep(snapshot)

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the keys, or the strip."""
        del snapshot
        return self.waiting(width, height)

    def waiting(self, width: int, height: int) -> list[Line]:
        """Give the keys, or the strip; neither needs a snapshot."""
        if self._strip:
            return self._strip_lines(width, height)
        last = len(self._hints) - ALWAYS
        items: list[Item] = [
            (place if place < last else -1, ((key, "key"), (f" {words}", "dim")))
            for place, (key, words) in enumerate(self._hints)
        ]
        whole = join([part for _, part in items], 2)
        return [((" ", "text"), *(whole if line_width(whole) < width else fit(items, width - 1, gap=1)))]

    def _strip_lines(self, width: int, height: int) -> list[Line]:
        """Give the strip; where it cannot be read whole, its last words, which name the keys, stay."""
        lines = self._strip_parts(width)
        if len(lines) > height:
            lines = [*lines[: height - 1], lines[-1]] if height > 1 else lines[:1]
        return [((left(f" {line_text(line)}", width), self._role),) for line in lines]

"""The last line: at most a handful of keys, or the one strip that asks for Enter."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.snapshot import ConsoleSnapshot
from widgets.base import SnapshotWidget
from widgets.cells import clean
from widgets.lines import Item, Line, fit

DEFAULT_HINTS = (
    ("a", "permit"), ("d", "not now"), ("w", "window"), ("x", "cancel"), ("X", "cancel ours"),
    ("F", "flatten"), ("p", "HALT"), ("m", "step down"), ("?", "keys"), ("q", "quit"),
)  # fmt: skip
"""Keys and words, most important first where the line is too short for all."""


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

    def show(self, snapshot: ConsoleSnapshot, screen_age_ms: int = 0) -> None:
        """Take note of a snapshot; nothing here depends on it, so nothing is drawn anew."""
        del screen_age_ms
        self.keep(snapshot)

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the one line."""
        del snapshot, height
        return self.waiting(width, 1)

    def waiting(self, width: int, height: int) -> list[Line]:
        """Give the one line; it needs no snapshot."""
        del height
        if self._strip:
            return [((f" {self._strip} ".ljust(width), self._role),)]
        items: list[Item] = [
            (place, ((key, "key"), (f" {words}", "dim"))) for place, (key, words) in enumerate(self._hints)
        ]
        return [((" ", "text"), *fit(items, width - 1))]

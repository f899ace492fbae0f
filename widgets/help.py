"""Help: the keys of the focused panel first, then all others; rows come from the one table of actions."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.snapshot import ConsoleSnapshot
from widgets.base import SnapshotWidget
from widgets.cells import cell_width, left
from widgets.lines import Line, text, wrap

HelpRow = tuple[str, str]
"""(keys, what they do); a row with empty keys is a heading."""


class HelpPanel(SnapshotWidget):
    """Keys and what they do, scrolled by `move`."""

    TITLE = "KEYS"

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Make an empty help."""
        super().__init__(plain=plain, id=id)
        self._rows: tuple[HelpRow, ...] = ()
        self._offset = 0

    def set_rows(self, rows: Sequence[HelpRow]) -> None:
        """Show these rows from the top."""
        self._rows = tuple(rows)
        self._offset = 0
        self.redraw()

    def move(self, step: int) -> None:
        """Move the text by some lines; the top and the last line stay reachable."""
        last = max(0, len(help_lines(self._rows, max(1, self.size.width - 2))) - 1)
        self._offset = max(0, min(last, self._offset + step))
        self.redraw()

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Say how to leave."""
        del snapshot, room
        return (), text("q or ? closes, j k scroll", "dim")

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the rows that fit."""
        del snapshot
        return self.waiting(width, height)

    def waiting(self, width: int, height: int) -> list[Line]:
        """Give the rows that fit; they need no snapshot."""
        return help_lines(self._rows, width)[self._offset : self._offset + height]


def help_lines(rows: Sequence[HelpRow], width: int) -> list[Line]:
    """Give headings and rows; the words wrap beside their keys."""
    keys_width = max((cell_width(keys) for keys, _ in rows), default=0) + 2
    lines: list[Line] = []
    for keys, words in rows:
        if not keys:
            lines += [(), text(f" {words}", "title")]
            continue
        wrapped = wrap(words, "text", max(8, width - keys_width - 2)) or [()]
        for index, line in enumerate(wrapped):
            lines.append(((f" {left(keys if index == 0 else '', keys_width)}", "key"), *line))
    return lines

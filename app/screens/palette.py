"""The palette: every action of the table, found by a few letters, run with Enter."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from app.actions import ACTIONS, Action, matching, shown_keys
from app.screens.overlay import LineInput, Overlay
from pipeline.core.snapshot import ConsoleSnapshot
from widgets.base import SnapshotWidget
from widgets.cells import left
from widgets.glyphs import POINTER
from widgets.lines import Line, text

_KEYS_WIDTH = max(len(shown_keys(action)) for action in ACTIONS) + 2


class PaletteList(SnapshotWidget):
    """The actions that match, one of them chosen."""

    TITLE = "ACTIONS"

    def __init__(self, *, plain: bool) -> None:
        """List all of them."""
        super().__init__(plain=plain)
        self._found = ACTIONS
        self._place = 0
        self._top = 0

    @property
    def chosen(self) -> Action | None:
        """Give the chosen action; None where nothing matches."""
        return self._found[self._place] if self._found else None

    def find(self, typed: str) -> None:
        """List what a few letters mean, the best of them chosen."""
        self._found, self._place, self._top = matching(typed), 0, 0
        self.redraw()

    def move(self, step: int) -> None:
        """Choose another one."""
        self._place = max(0, min(len(self._found) - 1, self._place + step))
        self.redraw()

    def pick(self, row: int) -> None:
        """Choose the one at a row."""
        self._place = max(0, min(len(self._found) - 1, row + self._top))
        self.redraw()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the rows around the chosen one."""
        del snapshot
        return self.waiting(width, height)

    def waiting(self, width: int, height: int) -> list[Line]:
        """Give the rows around the chosen one; they need no snapshot."""
        if not self._found:
            return [text(" no action is called so", "warn")]
        self._top = max(0, min(self._top, self._place), self._place - height + 1)
        shown = self._found[self._top : self._top + height]
        return [_row(action, width, action is self.chosen) for action in shown]


class PaletteDialog(Overlay[Action]):
    """Type to find, arrows to choose, Enter to run."""

    DEFAULT_CSS = """
    PaletteDialog Horizontal { height: 1; }
    PaletteDialog .prompt { padding: 0 1; }
    PaletteDialog Input { width: 1fr; padding: 0; }
    """
    most_size = (100, 24)
    STEPS = {"down": 1, "up": -1, "pagedown": 10, "pageup": -10, "tab": 1, "shift+tab": -1}

    def __init__(self, answered: Callable[[Action], None], *, plain: bool) -> None:
        super().__init__(answered, plain=plain, classes="box")
        self._list = PaletteList(plain=plain)
        self._input = LineInput()

    def compose(self) -> ComposeResult:
        """Show the field over the list."""
        with Horizontal():
            yield Static("find", classes="dialog-title prompt", markup=False)
            yield self._input
        yield self._list

    @property
    def keyboard(self) -> LineInput:
        """The field."""
        return self._input

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find again."""
        event.stop()
        self._list.find(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Run the chosen one."""
        event.stop()
        if self._list.chosen is not None:
            self.finish(self._list.chosen)

    def on_key(self, event: events.Key) -> None:
        """Choose; Esc goes."""
        if event.key in self.STEPS:
            event.stop()
            self._list.move(self.STEPS[event.key])
            return
        super().on_key(event)


def _row(action: Action, width: int, chosen: bool) -> Line:
    pointer = POINTER if chosen else " "
    keys, words = left(shown_keys(action), _KEYS_WIDTH), left(action.help, width - _KEYS_WIDTH - 3)
    if chosen:
        return ((f" {pointer} {keys}{words}", "selected"),)
    return ((f" {pointer} ", "text"), (keys, "key"), (words, "text"))

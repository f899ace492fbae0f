"""Dialogs over the main screen: quit, help, command line, a typed phrase, a size, a window permit.

Each captures its keys until Enter or Esc; none of them can keep a kill or halt key from working.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from widgets.help import HelpPanel, HelpRow


class ChoiceDialog(ModalScreen[str]):
    """A question with keys for answers; Enter and Esc take the safe one."""

    def __init__(self, title: str, lines: Sequence[str], choices: Sequence[tuple[str, str, str]]) -> None:
        """Ask; `choices` are (key, words, result), the first is the safe one."""
        super().__init__()
        self._title = title
        self._lines = tuple(lines)
        self._choices = tuple(choices)

    def compose(self) -> ComposeResult:
        """Show the question and its answers."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="dialog-title", markup=False)
            for line in self._lines:
                yield Static(line, markup=False)
            yield Static("", markup=False)
            for place, (key, words, _) in enumerate(self._choices):
                safe = "   (Enter, Esc)" if place == 0 else ""
                yield Static(f"  {key}  {words}{safe}", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Answer."""
        event.stop()
        if event.key in ("enter", "escape"):
            self.dismiss(self._choices[0][2])
        for key, _, result in self._choices:
            if event.key == key:
                self.dismiss(result)


class HelpScreen(ModalScreen[None]):
    """All keys."""

    def __init__(self, rows: Sequence[HelpRow], *, plain: bool) -> None:
        super().__init__()
        self._panel = HelpPanel(plain=plain, id="help")
        self._rows = rows

    def compose(self) -> ComposeResult:
        """Show the table."""
        yield self._panel

    def on_mount(self) -> None:
        """Fill the table."""
        self._panel.set_rows(self._rows)

    def on_key(self, event: events.Key) -> None:
        """Scroll, or close."""
        event.stop()
        steps = {"j": 1, "down": 1, "k": -1, "up": -1, "space": 10, "pagedown": 10, "pageup": -10}
        if event.key in steps:
            self._panel.move(steps[event.key])
        elif event.key in ("q", "question_mark", "escape", "enter", "f1"):
            self.dismiss(None)


class LineScreen(ModalScreen[str]):
    """One line to type; Enter gives it, Esc gives nothing."""

    DEFAULT_CSS = """
    LineScreen { align: left bottom; }
    LineScreen Vertical { height: auto; background: $background; }
    """

    def __init__(
        self, prompt: str, *, value: str = "", lines: Sequence[str] = (), digits: bool = False
    ) -> None:
        """Ask for one line; `digits` eats everything but a number."""
        super().__init__()
        self._prompt = prompt
        self._lines = tuple(lines)
        self._input = Input(value=value, restrict=r"[0-9.]*" if digits else None, select_on_focus=False)

    def compose(self) -> ComposeResult:
        """Show the prompt and the field."""
        with Vertical():
            for line in self._lines:
                yield Static(line, markup=False)
            yield Static(self._prompt, classes="dialog-title", markup=False)
            yield self._input

    def on_mount(self) -> None:
        """Take the keys."""
        self._input.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give what was typed."""
        event.stop()
        self.dismiss(event.value)

    def on_key(self, event: events.Key) -> None:
        """Esc gives nothing."""
        if event.key == "escape":
            event.stop()
            self.dismiss("")


class FormScreen(ModalScreen[dict[str, str]]):
    """Several named fields; Enter arms all of them as they stand, Esc gives nothing."""

    BINDINGS: ClassVar = [("tab", "app.focus_next"), ("down", "app.focus_next"), ("up", "app.focus_previous")]
    DEFAULT_CSS = """
    FormScreen .dialog { width: 64; }
    FormScreen Static { height: auto; }
    """

    def __init__(self, title: str, fields: Sequence[tuple[str, str, str]], foot: Sequence[str]) -> None:
        """Ask; `fields` are (name, label, value)."""
        super().__init__()
        self._title = title
        self._fields = tuple(fields)
        self._foot = tuple(foot)

    def compose(self) -> ComposeResult:
        """Show labels and fields."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="dialog-title", markup=False)
            for name, label, value in self._fields:
                yield Static(label, markup=False)
                yield Input(value=value, id=f"field-{name}", select_on_focus=True)
            for line in self._foot:
                yield Static(line, markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give every field."""
        event.stop()
        names = [name for name, _, _ in self._fields]
        self.dismiss({name: self.query_one(f"#field-{name}", Input).value for name in names})

    def on_key(self, event: events.Key) -> None:
        """Esc gives nothing."""
        if event.key == "escape":
            event.stop()
            self.dismiss({})

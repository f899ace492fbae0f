"""Dialogs over the live view: a choice, one line, several fields, the help."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from app.screens.overlay import LineInput, Overlay
from widgets.cells import clean
from widgets.help import HelpPanel, HelpRow

_LONGEST = 400


def words(text: str, classes: str = "") -> Static:
    """Make a line of a box: without markup, and nothing in it steers the terminal."""
    return Static(clean(text, _LONGEST), classes=classes or None, markup=False)


class ChoiceDialog(Overlay[str]):
    """A question with keys for answers; Enter and Esc take the first, the safe one."""

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        choices: Sequence[tuple[str, str, str]],
        answered: Callable[[str], None],
        *,
        plain: bool,
    ) -> None:
        """Ask; `choices` are (key, words, result)."""
        super().__init__(answered, plain=plain)
        self._title = title
        self._lines = tuple(lines)
        self._choices = tuple(choices)

    def compose(self) -> ComposeResult:
        """Show the question and its answers."""
        yield words(self._title, classes="dialog-title")
        for line in self._lines:
            yield words(line)
        yield words("")
        for place, (key, meaning, _) in enumerate(self._choices):
            safe = "   (Enter, Esc)" if place == 0 else ""
            yield words(f"  {key}  {meaning}{safe}")

    def on_key(self, event: events.Key) -> None:
        """Answer."""
        event.stop()
        if event.key in ("enter", "escape"):
            self.finish(self._choices[0][2])
        for key, _, result in self._choices:
            if event.key == key:
                self.finish(result)


class LineDialog(Overlay[tuple[str, float]]):
    """One line to type, at the foot of the screen; gives the text and the seconds it took."""

    DEFAULT_CSS = """
    LineDialog { width: 100%; }
    LineDialog Horizontal { height: 1; width: 100%; }
    LineDialog .prompt { padding: 0 1; }
    LineDialog Input { width: 1fr; padding: 0; }
    """

    def __init__(
        self,
        prompt: str,
        answered: Callable[[tuple[str, float]], None],
        *,
        plain: bool,
        value: str = "",
        lines: Sequence[str] = (),
        digits: bool = False,
        typed: bool = False,
    ) -> None:
        """Ask for one line; `digits` eats everything but a number, `typed` takes no paste."""
        super().__init__(answered, plain=plain, classes="line-dialog")
        self._prompt = prompt
        self._lines = tuple(lines)
        self.foot_rows = len(self._lines) + 1
        self._input = LineInput(value, restrict=r"[0-9.]*" if digits else None, typed=typed)

    def compose(self) -> ComposeResult:
        """Show the prompt and the field."""
        for line in self._lines:
            yield words(f" {line}")
        with Horizontal():
            yield words(self._prompt, classes="dialog-title prompt")
            yield self._input

    @property
    def keyboard(self) -> LineInput:
        """The field."""
        return self._input

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give what was typed."""
        event.stop()
        self.finish((event.value, time.monotonic() - self.shown_s))


class FormDialog(Overlay[dict[str, str]]):
    """Several named fields; Enter gives all of them as they stand, Esc nothing."""

    DEFAULT_CSS = """
    FormDialog.form { border: round $role-rule; padding: 0 1; }
    FormDialog Horizontal { height: 1; width: auto; }
    FormDialog .label { width: 34; }
    FormDialog Input { width: 16; padding: 0; }
    FormDialog Input:focus { text-style: underline; }
    """

    def __init__(
        self,
        title: str,
        fields: Sequence[tuple[str, str, str]],
        foot: Sequence[str],
        answered: Callable[[dict[str, str]], None],
        check: Callable[[dict[str, str]], str],
        *,
        plain: bool,
    ) -> None:
        """Ask; `fields` are (name, label, value), `check` gives what is wrong with the values or nothing."""
        super().__init__(answered, plain=plain, classes="form")
        self._title = title
        self._labels = tuple(label for _, label, _ in fields)
        self._inputs = {name: LineInput(value, id=f"field-{name}") for name, _, value in fields}
        self._foot = tuple(foot)
        self._check = check
        self._wrong = Static("", classes="dialog-warning", markup=False)

    def compose(self) -> ComposeResult:
        """Show labels and fields."""
        yield words(self._title, classes="dialog-title")
        for label, field in zip(self._labels, self._inputs.values(), strict=True):
            with Horizontal():
                yield words(label, classes="label")
                yield field
        yield self._wrong
        for line in self._foot:
            yield words(line)

    @property
    def keyboard(self) -> LineInput:
        """The first field."""
        return next(iter(self._inputs.values()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give every field, unless one is wrong or Enter came before anybody can have read them."""
        event.stop()
        if time.monotonic() - self.shown_s < READ_S:
            return
        values = {name: field.value for name, field in self._inputs.items()}
        wrong = self._check(values)
        self._wrong.update(clean(wrong, _LONGEST))
        if not wrong:
            self.finish(values)

    def on_key(self, event: events.Key) -> None:
        """Go through the fields; Esc gives nothing."""
        steps = {"tab": 1, "down": 1, "shift+tab": -1, "up": -1}
        if event.key in steps:
            event.stop()
            fields = list(self._inputs.values())
            place = next((index for index, field in enumerate(fields) if field.has_focus), 0)
            fields[(place + steps[event.key]) % len(fields)].focus()
            return
        super().on_key(event)


class HelpDialog(Overlay[None]):
    """All keys, those of one panel first."""

    most_size = (92, 60)
    STEPS = {"j": 1, "down": 1, "k": -1, "up": -1, "space": 10, "pagedown": 10, "pageup": -10, "g": -1_000}

    def __init__(self, rows: Sequence[HelpRow], *, plain: bool) -> None:
        super().__init__(_ignore, plain=plain, classes="box")
        self._panel = HelpPanel(plain=plain)
        self._panel.set_rows(rows)

    def compose(self) -> ComposeResult:
        """Show the table."""
        yield self._panel

    def on_key(self, event: events.Key) -> None:
        """Scroll, or close."""
        event.stop()
        if event.key in self.STEPS:
            self._panel.move(self.STEPS[event.key])
        elif event.key in ("q", "question_mark", "escape", "enter"):
            self.leave()


READ_S = 0.35
"""Nobody reads a form faster."""


def _ignore(answer: None) -> None:
    del answer

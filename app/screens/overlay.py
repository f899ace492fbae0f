"""What stands over the live view: a box that takes the keys, gives one answer, and goes.

An overlay is no screen of its own: header, book and kill banner stay visible beside it and go on moving.
The kill and halt keys work while it stands, because the driver sees them first; a kill takes it away.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from textual import events
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from widgets.cells import clean

Answer = TypeVar("Answer")


class KeysThroughScreen(Widget):
    """Gets its keys from the main screen's queue only, so that none overtakes one that waits there.

    While a box comes up, keys lie in that queue already; those the app sent straight to the new field would
    be read first, or the older ones lost. Stands last among the bases: Textual's styles follow the first.
    """

    def _forward_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self.screen._forward_event(event)
        else:
            super()._forward_event(event)

    def take(self, key: events.Key) -> None:
        """Take a key from the screen."""
        key._set_forwarded()
        self.post_message(key)


class Overlay(Vertical, KeysThroughScreen, Generic[Answer], can_focus=True):
    """A box over the main screen; `finish` gives its answer."""

    DEFAULT_CSS = """
    Overlay {
        width: auto; height: auto; background: $background; color: $foreground;
        overflow: hidden auto; scrollbar-size: 0 0;
    }
    Overlay Static { width: auto; max-width: 100%; height: auto; }
    Overlay .dialog-title { text-style: bold; }
    Overlay.box { border: round $role-rule; padding: 0 1; }
    """

    foot_rows = 0
    """Rows at the foot of the screen; 0 for a box in its middle."""
    most_size: tuple[int, int] | None = None
    """Columns and rows of a box that takes no more than this; None for one as large as what is in it."""

    class Finished(Message):
        """The overlay is done and wants to go; `act` carries out its answer."""

        def __init__(self, overlay: Overlay[Any], act: Callable[[], None]) -> None:
            """Name the overlay and what its answer means."""
            super().__init__()
            self.overlay = overlay
            self.act = act

    class Ready(Message):
        """The overlay stands and can take keys."""

    def __init__(self, answered: Callable[[Answer], None], *, plain: bool, classes: str = "dialog") -> None:
        """Make a box; `answered` is called once, after the box has gone."""
        super().__init__(classes=classes)
        self.plain = plain
        self.shown_s = time.monotonic()
        """When it came up; nobody has read it before."""
        self.is_ready = False
        self._answered = answered
        self._done = False

    def finish(self, answer: Answer) -> None:
        """Give the answer, once."""
        if not self._done:
            self._done = True
            self.post_message(self.Finished(self, lambda: self._answered(answer)))

    def leave(self) -> None:
        """Go without an answer."""
        if not self._done:
            self._done = True
            self.post_message(self.Finished(self, _nothing))

    def on_mount(self) -> None:
        """Ask for the keys; draw the border with ASCII on a plain terminal."""
        self.shown_s = time.monotonic()
        self.fit_to(self.app.size)
        if self.plain and self.styles.border_top[0]:
            self.styles.border = ("ascii", self.styles.border_top[1])
        self.is_ready = True
        self.post_message(self.Ready())

    def fit_to(self, screen: Size) -> None:
        """Take what the screen has, up to `most_size`; in cells: what holds the box has no size itself."""
        self.styles.max_width, self.styles.max_height = screen.width, screen.height
        if self.most_size is not None:
            columns, rows = self.most_size
            self.styles.width = min(columns, screen.width)
            self.styles.height = min(rows, max(screen.height * 3 // 4, screen.height - 6))

    @property
    def keyboard(self) -> KeysThroughScreen:
        """The widget in it that gets the keys."""
        return self

    def on_key(self, event: events.Key) -> None:
        """Esc goes without an answer; no key gets past the box."""
        if event.key == "escape":
            event.stop()
            self.leave()


class LineInput(Input, KeysThroughScreen):
    """An input of one line that does not blink; `typed` refuses what is pasted."""

    def __init__(
        self,
        value: str = "",
        *,
        restrict: str | None = None,
        typed: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(value=value, restrict=restrict, select_on_focus=False, id=id)
        self.cursor_blink = False
        self._typed = typed

    def on_paste(self, event: events.Paste) -> None:
        """Refuse a paste where the words must be typed."""
        if self._typed:
            event.prevent_default()
            event.stop()

    def replace(self, text: str, start: int, end: int) -> None:
        """Put text in; what is pasted must not steer the terminal it is drawn on."""
        super().replace(clean(text), start, end)


def _nothing() -> None:
    """Do nothing."""

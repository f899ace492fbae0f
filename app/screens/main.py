"""The one main screen: the trading view, its keys, its strip.

Every key goes through `on_key`: a strip first, then the table of actions. Screens above this one (dialogs,
input fields) keep their keys to themselves; the kill and halt keys work there all the same, because the
driver sees them first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from app.actions import BY_KEY, DEAD_KEYS, Action, Guard
from app.strips import Strip
from pipeline.core.snapshot import ConsoleSnapshot
from widgets.layout import TradingView

if TYPE_CHECKING:
    from app.console import ConsoleApp

SWALLOW_S = 1.0
SAY_S = 4.0


class MainScreen(Screen[None]):
    """Hosts the pages of the trading view and dispatches keys."""

    def __init__(self, console: ConsoleApp, *, plain: bool) -> None:
        super().__init__()
        self.console = console
        self.plain = plain
        self.views = {name: TradingView(page=name, plain=plain) for name in PAGES}
        self.page = "trading"
        self.strip: Strip | None = None
        self._said_until_s = 0.0
        self._swallow_until_s = 0.0
        self._capitals = 0
        self._had_cards = False

    def compose(self) -> ComposeResult:
        """Mount every page; only the current one is shown."""
        for name, view in self.views.items():
            view.display = name == self.page
            yield view

    @property
    def view(self) -> TradingView:
        """The page on the screen."""
        return self.views[self.page]

    def show_page(self, name: str) -> None:
        """Bring a page up."""
        self.page = name
        for key, view in self.views.items():
            view.display = key == name
        self._draw_strip()

    def show(self, snapshot: ConsoleSnapshot, age_ms: int) -> None:
        """Draw a picture; a card on an empty board is selected, a later one is not."""
        self.view.show(snapshot, age_ms)
        if snapshot.proposals and not self._had_cards and self.view.selected() is None:
            self.views["trading"].proposals.select(snapshot.proposals[0].idea_id)
        self._had_cards = bool(snapshot.proposals)
        if self._said_until_s and time.monotonic() > self._said_until_s and self.strip is None:
            self._said_until_s = 0.0
            self.view.hints.set_strip("")

    # --- strip --------------------------------------------------------------------------------------------

    def ask(self, strip: Strip) -> None:
        """Put a question on the last line; it replaces an older one."""
        self.strip = strip
        self._draw_strip()

    def say(self, words: str, role: str = "notice") -> None:
        """Say something on the last line for a few seconds, unless a strip stands there."""
        if self.strip is None and words:
            self._said_until_s = time.monotonic() + SAY_S
            self.view.hints.set_strip(words, role)

    def drop_strip(self) -> None:
        """Take the strip away."""
        self.strip = None
        self._draw_strip()

    def _draw_strip(self) -> None:
        self._said_until_s = 0.0
        strip = self.strip
        self.view.hints.set_strip(strip.words if strip else "", strip.role if strip else "selected")

    # --- keys ---------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Dispatch one key."""
        event.stop()
        event.prevent_default()
        now_s = time.monotonic()
        if now_s < self._swallow_until_s:
            self._swallow_until_s = 0.0
            if BY_KEY.get(event.key) is None or BY_KEY[event.key].guard is not Guard.SAFE:
                self.say(f"the key after an unbound Ctrl key is not taken: {event.key}")
                return
        if self.strip is not None and self._strip_key(event.key, now_s):
            return
        action = BY_KEY.get(event.key)
        if action is None:
            self._unbound(event.key, now_s)
            return
        self._note_capital(event.key, action)
        self.console.act(action)

    def on_paste(self, event: events.Paste) -> None:
        """Take nothing from a paste but keys that take risk away."""
        event.stop()
        for character in event.text[:64]:
            action = BY_KEY.get(character)
            if action is not None and action.name in ("halt", "reduce", "authority_down"):
                self.console.act(action)
        self.say("a paste permits nothing here")

    def _strip_key(self, key: str, now_s: float) -> bool:
        strip = self.strip
        assert strip is not None
        if key == "escape":
            self.drop_strip()
            if strip.on_escape is not None:
                strip.on_escape()
            return True
        if key not in ("enter", *strip.choices):
            return False
        if not strip.is_armed(now_s):
            return True
        self.drop_strip()
        strip.choices.get(key, strip.on_enter)()
        return True

    def _unbound(self, key: str, now_s: float) -> None:
        if key in DEAD_KEYS:
            self.say(DEAD_KEYS[key])
        elif key.startswith("ctrl+"):
            self._swallow_until_s = now_s + SWALLOW_S
            self.say(f"{key} means nothing here; the next key is not taken for 1 s (outside tmux or screen?)")

    def _note_capital(self, key: str, action: Action) -> None:
        self._capitals = self._capitals + 1 if len(key) == 1 and key.isupper() else 0
        if self._capitals >= 2 and action.guard is Guard.STRIP:
            self.say("two capitals in a row: Caps Lock?")


PAGES = ("trading", "orders", "health", "model")

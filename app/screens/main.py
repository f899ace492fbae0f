"""The one main screen: the live view, its keys, its strip, and the box that may stand over it.

Every key goes through `on_key`: the box first, then the strip, then the table of actions. The kill and halt
keys work everywhere, because the driver sees them before the app does.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from app.actions import BY_KEY, DEAD_KEYS, Action, Guard
from app.input_guard import InputGuard
from app.screens.lean_full import make_all_lean
from app.screens.overlay import KeysThroughScreen, Overlay
from app.screens.view import ConsoleView
from app.strips import Strip, StripKeeper
from pipeline.core.snapshot import ConsoleSnapshot

SWALLOW_S = 1.0
SAY_S = 5.0
CAPITALS_S = 1.0
"""A capital this long after another one was not typed with Caps Lock on."""
MOST_HANDED = 64
MOST_STEPS = 2
"""How often one key of a paste counts: twice goes from AUTO to OBSERVE, all others say the same again."""

Act = Callable[[Action, float], None]


class MainScreen(Screen[None], inherit_bindings=False):
    """Hosts the live view and hands keys out."""

    DEFAULT_CSS = """
    MainScreen { align: center middle; layers: base strip foot; overflow: hidden; }
    #middle { layer: strip; width: auto; height: auto; }
    #foot { layer: foot; position: absolute; width: 100%; height: auto; }
    """
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As in every screen, but a change of it does not paint the whole screen again."""

    def __init__(
        self, act: Act, guard: InputGuard, *, plain: bool, kill_key: str = "Ctrl+K", watching: bool = False
    ) -> None:
        """Make the screen; `act` does an action for a key pressed at a time (monotonic seconds)."""
        super().__init__()
        make_all_lean(self)
        self._act = act
        self._guard = guard
        self.view = ConsoleView(plain=plain, kill_key=kill_key, watching=watching)
        # Boxes are mounted inside of these, which are always there: a new child of the screen itself would
        # change the place of the whole view in its order, and all of it would be painted again.
        self._middle = Container(id="middle")
        self._foot = Container(id="foot")
        self.overlay: Overlay[Any] | None = None
        self.strips = StripKeeper()
        self._said_until_s = 0.0
        self._swallow_until_s = 0.0
        self._capitals = 0
        self._capital_s = 0.0
        """When the newest capital was typed."""
        self._typed_ahead: list[events.Key] = []
        """Keys typed for a box that does not stand yet."""
        self._handed: deque[events.Key] = deque(maxlen=MOST_HANDED)
        """Keys given to the box: what it has no use for comes back up and is done with."""

    def compose(self) -> ComposeResult:
        """Mount the view, and where boxes go."""
        yield self.view
        yield self._middle
        yield self._foot

    @property
    def is_standing(self) -> bool:
        """Say whether there is a screen to draw on; not while the app goes away."""
        return self.view.is_attached and self.view.status.is_attached and self.view.hints.is_attached

    def show(self, snapshot: ConsoleSnapshot, age_ms: int) -> None:
        """Draw a picture."""
        self.view.show(snapshot, age_ms)

    def tick(self, now_s: float) -> None:
        """Let time pass for the strip and for what was said."""
        strip = self.strips.strip
        said = self._said_until_s and now_s > self._said_until_s
        if self.strips.expire(now_s):
            self._capitals = 0
            said = not self._said_until_s
        if said or (strip is not None and strip.in_banner):
            self._draw_strip()

    def on_resize(self) -> None:
        """Keep a box at the foot at the foot, and every box on the screen."""
        if self.overlay is not None:
            self.overlay.fit_to(self.size)
            if self.overlay.foot_rows:
                self._foot.styles.offset = (0, max(0, self.size.height - self.overlay.foot_rows))

    # --- boxes --------------------------------------------------------------------------------------------

    def open(self, overlay: Overlay[Any]) -> None:
        """Put a box over the view; it replaces another one and any strip."""
        self.close_overlay()
        self.drop_strip()
        self.overlay = overlay
        if overlay.foot_rows:
            self._foot.styles.offset = (0, max(0, self.size.height - overlay.foot_rows))
            self._foot.mount(overlay)
        else:
            self._middle.mount(overlay)

    def close_overlay(self) -> None:
        """Take the box away, unanswered."""
        if self.overlay is not None:
            self.overlay.remove()
            self.overlay = None
            self._typed_ahead.clear()
            self.set_focus(None)

    def on_overlay_ready(self, message: Overlay.Ready) -> None:
        """Give the keyboard to a box that stands now."""
        message.stop()
        self._give_keys()

    def _give_keys(self) -> None:
        """Give the box the keyboard, and what was typed for it meanwhile, in order and in one go."""
        overlay = self.overlay
        if overlay is not None and overlay.is_ready:
            if self.focused is None:
                self.set_focus(overlay.keyboard)
            keyboard = self.focused if isinstance(self.focused, KeysThroughScreen) else overlay.keyboard
            for key in self._typed_ahead:
                self._handed.append(key)
                keyboard.take(key)
            self._typed_ahead.clear()

    def on_overlay_finished(self, message: Overlay.Finished) -> None:
        """Take an answered box away, then carry out its answer."""
        message.stop()
        if message.overlay is self.overlay:
            self.close_overlay()
            message.act()

    # --- strip --------------------------------------------------------------------------------------------

    def ask(self, strip: Strip) -> None:
        """Put a question on the last line; it replaces an older one."""
        self.strips.strip = strip
        self._draw_strip()

    def say(self, words: str, role: str = "selected") -> None:
        """Say something on the last line for a few seconds, unless a strip stands there."""
        if self.strips.strip is None and words:
            self._said_until_s = time.monotonic() + SAY_S
            self.view.status.set_kill_choice("")
            self.view.set_strip(words, role)

    def drop_strip(self) -> None:
        """Take the strip away, without any of its acts."""
        self.strips.strip = None
        self._draw_strip()

    def _draw_strip(self) -> None:
        self._said_until_s = 0.0
        strip = self.strips.strip
        words = strip.text(time.monotonic()) if strip else ""
        self.view.status.set_kill_choice(words if strip and strip.in_banner else "")
        self.view.set_strip(words, strip.role if strip else "selected")

    # --- keys ---------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Hand out one key; what is typed into a box belongs to the box."""
        if self.overlay is not None:
            if any(event is key for key in self._handed):
                return
            event.stop()
            key = event.copy()
            key.set_sender(self.app)  # as the driver does, or it would not get past this screen
            self._typed_ahead.append(key)
            self._give_keys()
            return
        event.stop()
        event.prevent_default()
        now_s = time.monotonic()
        action = BY_KEY.get(event.key)
        if self._is_swallowed(event.key, action, now_s):
            return
        if self.strips.press(event.key, now_s, in_burst=self._guard.in_burst(now_s)):
            self._capitals = 0
            if self.strips.strip is None and not self._said_until_s:
                self._draw_strip()
        elif action is None:
            self._unbound(event.key, now_s)
        elif not self._caps_lock(event.key, action, now_s):
            self._act(action, event.time)
            if action.guard is Guard.STRIP and self.strips.strip is None:
                self._capitals = 0  # it asked nothing, so the next question is the first

    def on_paste(self, event: events.Paste) -> None:
        """Take nothing from a paste but keys that stop or step down, wherever in it they stand."""
        event.stop()
        counts = Counter(key for key in event.text if key in BY_KEY and BY_KEY[key].guard is Guard.STOP)
        for key, count in counts.items():
            for _ in range(min(count, MOST_STEPS)):
                self._act(BY_KEY[key], event.time)
        names = ", ".join(BY_KEY[key].name.replace("_", " ") for key in counts)
        self.say(f"pasted: {names or 'nothing'} taken; of a paste only keys that stop count", "warn")

    def _is_swallowed(self, key: str, action: Action | None, now_s: float) -> bool:
        """Say whether a key is the second half of a tmux or screen command typed outside of them."""
        if now_s >= self._swallow_until_s:
            return False
        self._swallow_until_s = 0.0
        if action is not None and action.guard is Guard.STOP:
            return False
        self.say(f"{key} not taken: it came right after a Ctrl key that means nothing here", "warn")
        return True

    def _unbound(self, key: str, now_s: float) -> None:
        self._capitals = 0
        if key in DEAD_KEYS:
            self.say(DEAD_KEYS[key])
        elif key.startswith("ctrl+"):
            self._swallow_until_s = now_s + SWALLOW_S
            self.say(f"{key} means nothing here; the next key is not taken (is this outside tmux or screen?)")

    def _caps_lock(self, key: str, action: Action, now_s: float) -> bool:
        """Notice the second capital in a row and soon: nothing is asked then, and the first question goes."""
        capital = len(key) == 1 and key.isupper()
        follows = now_s - self._capital_s <= CAPITALS_S
        self._capitals = (self._capitals + 1 if follows else 1) if capital else 0
        self._capital_s = now_s
        if self._capitals < 2 or action.guard is not Guard.STRIP:
            return False
        self.drop_strip()
        self.say("two capitals in a row: Caps Lock? Nothing was done", "warn")
        return True

"""The console: draws the newest picture at its own pace, and sends what a person asks for.

It never waits for the session and the session never waits for it. The driver's input thread closes the
gate on the kill and halt keys before this app hears of them; what is here only shows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import replace
from textual.app import App
from textual.binding import Binding, BindingType

import themes
from app.actions import BY_NAME, Action, Guard, watcher_may
from app.acts import Acts
from app.bell import Bell
from app.console_settings import ConsoleSettings, KillSwitch
from app.driver import ConsoleDriver, TerminalHooks
from app.evidence import newest_alert
from app.gate_picture import live_orders, with_gate, without_halt_banner
from app.guard_wait import guard_words
from app.kill_keys import Emergency
from app.link import Link
from app.link_end import LinkEnd, end_of, status_of
from app.press_watch import PressWatch
from app.screens.main import MainScreen
from pipeline.core.cards import PressRefusal
from pipeline.core.inputs import Command
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.runtime.link_messages import CommandResult
from widgets.frame import OLD_AFTER_MS
from widgets.lost import LostView
from widgets.words import PRESS_WORDS

STALLED_S = 2.0
"""A terminal that takes nothing for so long counts as not draining."""
OLD_PICTURE_S = 1.0
"""A picture older than this is drawn as old, and keys that add risk do not act on it."""
OLD_KEY_S = 0.5
"""A key that waited longer for a busy app was pressed on another picture."""
AGE_EVERY_S = 0.5
START_S = 0.4
"""The screen is painted once with the first picture, or empty after this."""
RATE_EVERY_S = 2.0

WATCHING = "this console only watches; halt, kill, r and m work"

_PRESSES = (Command.PERMIT_ONCE, Command.DECLINE, Command.EDIT_SIZE, Command.PERMIT_WINDOW)
"""Commands whose answer may be the reason why a press did nothing."""
_SHOWN = (Command.HALT, Command.REDUCE, Command.AUTHORITY_DOWN, Command.SET_AUTHORITY, Command.RESUME)
"""Commands whose answer is the header's own word."""


class ConsoleApp(App[int], inherit_bindings=False):
    """One console on one session; the result is the exit status."""

    CSS_PATH = themes.CSS_PATH
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "lobdeck"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+k,f9", "emergency('kill')", "kill", priority=True),
        Binding("f8", "emergency('halt')", "halt", priority=True),
    ]
    """Before every box and field; from a terminal these keys never come here, the driver acts on them."""

    def __init__(self, link: Link, kill_switch: KillSwitch, settings: ConsoleSettings) -> None:
        self.terminal_hooks = TerminalHooks(kill_switch)
        super().__init__(driver_class=ConsoleDriver)
        themes.register(self)
        self.link = link
        self.kill_switch = kill_switch
        self.settings = settings
        self.acts = Acts(self)
        self.presses = PressWatch()
        self.ringer = Bell()
        self.drawn: ConsoleSnapshot | None = None
        """The picture last handed to the terminal."""
        self.asked: Command | None = None
        """What the session was asked last."""
        self.asked_by = ""
        """The key or the word of the action taken last."""
        self.on_started: Callable[[], object] = lambda: None
        """Told when the start is over: the first picture stands, or none came in time."""
        self.lost_terminal = ""
        self.crash = ""
        """Traceback of an error of our own; the session is not touched by it."""
        self.main = MainScreen(
            self.act,
            self.terminal_hooks.guard,
            plain=settings.plain,
            kill_key=settings.kill_key,
            watching=settings.watch,
        )
        self._starting = contextlib.ExitStack()
        self._app_loop: asyncio.AbstractEventLoop | None = None
        self.drawn_s = 0.0
        self.numbers_s = 0.0
        """When the session's numbers in it came here; both monotonic."""
        self._alerts_shown = 0
        self._gate_shown_open = True
        self._end_shown = LinkEnd.STANDS
        self._rate = (0.0, 0)

    def get_default_screen(self) -> MainScreen:
        """Start with the main screen; there is no other."""
        return self.main

    def on_mount(self) -> None:
        """Listen to link, gate and terminal, and start to draw."""
        self.animation_level = "none"
        self._app_loop = asyncio.get_running_loop()
        self.link.on_result = self._result
        self.kill_switch.on_fired = lambda emergency: self._soon(self.acts.after_emergency, emergency)
        self.terminal_hooks.on_lost = lambda reason: self._soon(self.leave_lost, reason)
        self.terminal_hooks.on_missed = lambda: self._soon(self.acts.act_repaint)
        self.terminal_hooks.ask_where(time.monotonic())
        self._starting.enter_context(self.batch_update())
        self.set_timer(START_S, self._show_start)
        self.main.say("waiting for the session's first picture")
        self.set_interval(1.0 / self.settings.frame_hz, self._frame)
        self.set_interval(min(0.1, 1.0 / self.settings.frame_hz), self._watch)
        if self.lost_terminal:
            self.exit(0)

    def _show_start(self) -> None:
        """Let the terminal have what was drawn while starting: the first picture where it came in time."""
        self._starting.close()
        self.on_started()

    def _soon(self, act: Callable[..., None], *values: object) -> None:
        """Let the app's loop do something; called from other threads."""
        if self._app_loop is not None and not self._app_loop.is_closed():
            self._app_loop.call_soon_threadsafe(act, *values)

    # --- pictures -----------------------------------------------------------------------------------------

    def _frame(self) -> None:
        """Draw the newest picture, unless the terminal has not taken the last one."""
        link, hooks, now_s = self.link, self.terminal_hooks, time.monotonic()
        if not self.main.is_standing:
            return
        if link.lost and link.latest is None:
            self.leave()
            return
        if link.latest is None or (hooks.writer is not None and hooks.writer.is_busy):
            return
        if hooks.lag.must_wait(now_s, hooks.sent_bytes):
            hooks.ask_where(now_s)
            return
        same = self.drawn is not None and link.latest.seq == self.drawn.seq
        if same and (now_s - link.latest_at_s < self._old_s or now_s - self.drawn_s < AGE_EVERY_S):
            return
        self._note_rate(now_s)
        self.draw_now()
        self.call_after_refresh(hooks.ask_where, now_s)

    def _watch(self) -> None:
        """See to what may not wait for the next picture: the first one, the gate, the end of the link."""
        if not self.main.is_standing:
            return
        if end_of(self.link) is not self._end_shown:
            self._ended()
        if self.drawn is None or self.kill_switch.is_open() != self._gate_shown_open:
            self.draw_now()
        self.main.tick(time.monotonic())

    def _ended(self) -> None:
        """Leave with a session that ends in order; say of any other at once that it is gone."""
        self._end_shown = end_of(self.link)
        if self._end_shown is LinkEnd.ORDERLY:
            self.leave()
            return
        self.main.close_overlay()
        self.main.drop_strip()
        self.draw_now()
        self.bell()

    def draw_now(self) -> None:
        """Draw the newest picture, with the gate as it is now."""
        latest, now_s = self.link.latest, time.monotonic()
        if latest is None:
            return
        if now_s - self.drawn_s > OLD_PICTURE_S + 1.0 / self.settings.frame_hz and self.drawn is not None:
            self.terminal_hooks.guard.note_gap(now_s)
        self._gate_shown_open = self.kill_switch.is_open()
        shown = without_halt_banner(latest)
        if latest.header.gate_open and not self._gate_shown_open:
            shown = with_gate(latest, self.kill_switch.state())
        if self.drawn is None:
            self.main.drop_strip()
            self.call_after_refresh(self._show_start)
        age_s = now_s - self.link.latest_at_s
        age_ms = int(age_s * 1000) if age_s > self._old_s else 0
        if self._end_shown is not LinkEnd.STANDS:
            shown, age_ms = self._without_session(shown), max(age_ms, OLD_AFTER_MS)
        self.drawn, self.drawn_s, self.numbers_s = shown, now_s, self.link.latest_at_s
        self.presses.drawn(shown, now_s)
        self.main.show(shown, age_ms)
        self.acts.after_picture(shown)
        self._note_shown(shown)
        for _ in range(self.ringer.rings(shown, now_s)):
            self.bell()

    def _note_shown(self, shown: ConsoleSnapshot) -> None:
        """Tell the session which alerts this terminal has been shown; each once."""
        newest = newest_alert(shown) if self.main.view.is_shown("alerts") else 0
        if newest > self._alerts_shown:
            self._alerts_shown = newest
            self.link.alerts_shown(newest)

    def _without_session(self, shown: ConsoleSnapshot) -> ConsoleSnapshot:
        """Put the banner up; nothing is on offer any more."""
        gone = self._end_shown is LinkEnd.GONE
        guard, no_orders = guard_words(self.link.hello) if gone else ("", False)
        self.main.view.status.set_lost(LostView(gone, self.link.lost, live_orders(shown), guard, no_orders))
        self.main.say("the session is gone; q leaves" if gone else "the link is lost; q leaves", "alert")
        return replace(shown, proposals=())

    @property
    def _old_s(self) -> float:
        return max(OLD_PICTURE_S, 2.5 / self.settings.frame_hz)

    def _note_rate(self, now_s: float) -> None:
        writer, (since_s, since_bytes) = self.terminal_hooks.writer, self._rate
        if writer is None or now_s - since_s < RATE_EVERY_S:
            return
        kilobytes = (writer.bytes_written - since_bytes) / (now_s - since_s) / 1000
        if since_s:
            lag_ms = self.terminal_hooks.lag.lag_ms(now_s)
            display = f"display {lag_ms} ms  " if lag_ms >= 0 else ""
            self.main.view.status.set_note(f"{display}{kilobytes:.1f} kB/s {self.settings.frame_hz:g} Hz")
        self._rate = (now_s, writer.bytes_written)

    # --- keys ---------------------------------------------------------------------------------------------

    def action_emergency(self, name: str) -> None:
        """Fire as the driver does; for tests, and terminals without this driver."""
        self.kill_switch.fire(Emergency(name))

    def act(self, action: Action, pressed_s: float) -> None:
        """Do one action of the table, if its guard lets it through."""
        refusal = self._refusal(pressed_s) if action.guard is Guard.RISK else ""
        if self.settings.watch and not watcher_may(action):
            refusal = WATCHING
        if refusal:
            self.main.say(f"{action.shown or ':' + action.word} not taken: {refusal}", "warn")
        else:
            self.asked_by = action.shown or f":{action.word}"
            getattr(self.acts, f"act_{action.name}")()

    def act_by_name(self, name: str) -> None:
        """Do an action that was chosen or typed, now."""
        self.act(BY_NAME[name], time.monotonic())

    def _refusal(self, pressed_s: float) -> str:
        """Give why a key that adds risk does not count now; empty when it does."""
        now_s, writer = time.monotonic(), self.terminal_hooks.writer
        if self.link.lost:
            return "nobody is there to take it"
        if writer is not None and (writer.is_behind or writer.stalled_s > STALLED_S):
            return "the terminal does not take the picture"
        if self.terminal_hooks.lag.lag_ms(now_s) > OLD_PICTURE_S * 1000:
            return "the terminal shows an old picture"
        if now_s - pressed_s > OLD_KEY_S:
            return "the key waited too long"
        if now_s - self.link.latest_at_s > self._old_s:
            return "the picture is old"
        return self.terminal_hooks.guard.refusal(now_s)

    def _result(self, result: CommandResult) -> None:
        """Say what became of a command, unless the screen shows it anyway."""
        refused = self.asked in _PRESSES and result.text in tuple(PressRefusal)
        if refused:
            self.main.say(f"not done: {PRESS_WORDS.get(result.text, result.text)}", "warn")
        elif not result.ok or self.asked not in _SHOWN:
            self.main.say(result.text, "selected" if result.ok else "warn")

    # --- leaving ------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Leave the console, with the session's exit status where it has ended."""
        self.exit(status_of(self.link))

    def _fatal_error(self) -> None:
        """Keep the traceback for the log: Textual's prints every value there is over the terminal."""
        self.crash = self.crash or traceback.format_exc()
        self._close_messages_no_wait()

    def leave_lost(self, reason: str) -> None:
        """Leave without touching the session: it goes on, and another console can attach."""
        self.lost_terminal = self.lost_terminal or reason
        self.exit(0)

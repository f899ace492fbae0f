"""The console: draws the newest picture at its own pace, and sends what a person asks for.

It never waits for the session and the session never waits for it. The driver's input thread closes the
gate on the kill and halt keys before this app hears of them; what is here only shows it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType

import themes
from app.actions import Action, Guard
from app.acts import Acts
from app.console_kill import ConsoleKillSwitch
from app.driver import ConsoleDriver, TerminalHooks
from app.kill_keys import Emergency
from app.link import Link
from app.screens.main import MainScreen
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.runtime.link_messages import CommandResult

STALLED_S = 2.0
"""A terminal that takes nothing for so long counts as not draining."""


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """How this console draws and who sits at it."""

    who: str
    tty: str
    account: str
    frame_hz: float
    plain: bool
    watch: bool = False


class ConsoleApp(App[int], inherit_bindings=False):
    """One console on one session; the result is the exit status."""

    CSS_PATH = themes.CSS_PATH
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    TITLE = "lobdeck"

    def __init__(self, link: Link, kill_switch: ConsoleKillSwitch, settings: ConsoleSettings) -> None:
        self.terminal_hooks = TerminalHooks(kill_switch)
        super().__init__(driver_class=ConsoleDriver)
        self.link = link
        self.kill_switch = kill_switch
        self.settings = settings
        self.main = MainScreen(self, plain=settings.plain)
        self.acts = Acts(self)
        self.bell_on = True
        self.symbol_since_s = 0.0
        self.lost_terminal = ""
        self._drawn_seq = -1
        self._drawn_at_s = 0.0
        self._bells = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- life ---------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Take the theme, the main screen, the timer and the signals."""
        themes.register(self)
        self.animation_level = "none"
        self._loop = asyncio.get_running_loop()
        self.link.on_result = self._result
        self.kill_switch.on_fired = self._fired_elsewhere
        self.terminal_hooks.on_lost = self._terminal_lost_elsewhere
        self.terminal_hooks.on_drained = self._drained_elsewhere
        for number in (signal.SIGHUP, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._signalled, number)
        self.push_screen(self.main)
        self.set_interval(1.0 / self.settings.frame_hz, self._frame)

    def _frame(self) -> None:
        """Draw the newest picture, unless the terminal is behind."""
        link, writer = self.link, self.terminal_hooks.writer
        if link.lost and link.latest is None:
            self.exit(0)
            return
        if link.latest is None or (writer is not None and writer.is_behind):
            return
        now_s = time.monotonic()
        age_ms = int((now_s - link.latest_at_s) * 1000)
        if link.latest.seq == self._drawn_seq and age_ms < 500:
            return
        self._drawn_seq, self._drawn_at_s = link.latest.seq, now_s
        self.main.show(link.latest, age_ms)
        self._ring(link.latest)
        if link.lost:
            self.main.say(f"{link.lost}; q leaves", "alert")

    def _ring(self, snapshot: ConsoleSnapshot) -> None:
        """Ring once for a new warning, three times for a kill."""
        loud = sum(1 for alert in snapshot.alerts if alert.severity > 0 and not alert.noted_by)
        if self.bell_on and loud > self._bells:
            self.bell()
        self._bells = loud

    # --- what the session and the driver tell -------------------------------------------------------------

    @property
    def snapshot(self) -> ConsoleSnapshot | None:
        """Give the newest picture."""
        return self.link.latest

    @property
    def drawn_seq(self) -> int:
        """Give the number of the picture last handed to the terminal."""
        return max(self._drawn_seq, 0)

    def act(self, action: Action) -> None:
        """Do one action of the table, if its guard lets it through."""
        guard = self.terminal_hooks.guard
        if action.guard is Guard.RISK and not guard.may_add_risk(time.monotonic()):
            self.main.say(f"{action.shown} not taken: keys came in a burst, a paste, or after a display gap")
            return
        if action.replay_only and (self.snapshot is None or self.snapshot.header.replay is None):
            self.main.say(f"{action.shown} works in a replay only")
            return
        getattr(self.acts, f"act_{action.name}")()

    def _result(self, result: CommandResult) -> None:
        self.main.say(result.text, "notice" if result.ok else "warn")

    def _fired_elsewhere(self, emergency: Emergency) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.acts.after_emergency, emergency)

    def _drained_elsewhere(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.acts.act_repaint)

    def _terminal_lost_elsewhere(self, reason: str) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._terminal_lost, reason)

    def _signalled(self, number: int) -> None:
        self._terminal_lost(signal.Signals(number).name)

    def _terminal_lost(self, reason: str) -> None:
        """Leave without touching the session: it goes on, and another console can attach."""
        self.lost_terminal = self.lost_terminal or reason
        self.exit(0)


def plain_terminal() -> bool:
    """Say whether only ASCII may be drawn: the Linux console, a dumb terminal, or no UTF-8."""
    if os.environ.get("TERM", "") in ("linux", "dumb", "vt100", "vt220"):
        return True
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "C.UTF-8"
    return "utf" not in locale.lower()

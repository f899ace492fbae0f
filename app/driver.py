"""The console's terminal driver: emergency keys first, output that never blocks, a lost terminal noticed.

The input thread looks at the raw bytes for the kill and halt keys and closes the gate right there, with no
lock and no call into the app, so that a frozen link, a dialog, an input field, an unfinished paste or an app
that is busy cannot hold it up. The app is told afterwards; it never gets these keys a second time.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any, Protocol

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import BRACKETED_PASTE_END, XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from app.display_lag import QUESTION, DisplayLag
from app.input_guard import InputGuard, PasteWatch
from app.kill_keys import Emergency, EmergencyKeys
from app.writer import FrameWriter

EMERGENCY_KEYS = {"ctrl+k": Emergency.KILL, "f9": Emergency.KILL, "f8": Emergency.HALT}
"""Textual's names of the keys the input thread acts on."""

STOP_WRITING_S = 0.5
SIMPLE_TERMINALS = ("linux", "dumb", "vt100", "vt102", "vt220")
"""Terminals that print what they do not understand; they get no questions and no keyboard protocol."""

_QUESTIONS = (QUESTION, "\x1b[>", "\x1b[<u", "\x1b[?2026$p", "\x1b[?2048$p")
_PARSER_FAULTS = (ParseError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
"""What Textual's parser raises on bytes no keyboard sends; it is a guest in the thread that hears kills."""


class KillSwitch(Protocol):
    """Closes the gate; called from the input thread."""

    def fire(self, emergency: Emergency) -> None:
        """Close the gate, and latch it for KILL; must not block."""
        ...


class TerminalHooks:
    """What driver and console know of each other; callbacks come from the driver's own threads."""

    def __init__(self, kill_switch: KillSwitch) -> None:
        self.kill_switch = kill_switch
        self.guard = InputGuard()
        self.lag = DisplayLag()
        self.writer: FrameWriter | None = None
        self.ask_for_cursor: Callable[[], None] | None = None
        self.on_lost: Callable[[str], None] | None = None
        self.on_missed: Callable[[], None] | None = None

    @property
    def sent_bytes(self) -> int:
        """Give how many bytes were ever handed to the terminal's writer."""
        return self.writer.bytes_queued if self.writer is not None else 0

    def ask_where(self, now_s: float) -> None:
        """Ask the terminal how far it is, where it is time to."""
        if self.ask_for_cursor is not None and self.lag.wants_question(now_s, self.sent_bytes):
            self.ask_for_cursor()

    def terminal_lost(self, reason: str) -> None:
        """Note that the terminal is gone."""
        if self.on_lost is not None:
            self.on_lost(reason)

    def output_drained(self, dropped: bool) -> None:
        """Note that the terminal reads again after it stood still; what it missed must be painted again."""
        self.guard.note_gap(time.monotonic())
        if dropped and self.on_missed is not None:
            self.on_missed()


class ConsoleDriver(LinuxDriver):
    """Textual's Linux driver with its own input thread and writer; its app has `terminal_hooks`."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        # A console that sleeps shows old numbers: Ctrl+Z and `kill -TSTP` do nothing.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        self._simple = os.environ.get("TERM", "") in SIMPLE_TERMINALS
        self._hooks = terminal_hooks(app)
        self._emergency = EmergencyKeys()
        self._parser = XTermParser(debug)
        assert self._file is not None
        self._writer = FrameWriter(self._file.fileno(), self._hooks.output_drained, self._hooks.terminal_lost)
        self._hooks.writer = self._writer
        self._hooks.ask_for_cursor = self.ask_for_cursor
        self._writer.start()

    # --- out ----------------------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Queue output; drops it while the terminal does not read."""
        if not (self._simple and data.startswith(_QUESTIONS)):
            self._writer.put(data)

    def ask_for_cursor(self) -> None:
        """Ask where the cursor is; the answer tells how far the terminal is behind."""
        if not self._simple and not self._writer.is_behind:
            self._hooks.lag.asked(time.monotonic(), self._writer.bytes_queued)
            self.write(QUESTION)

    def _enable_mouse_support(self) -> None:
        """Ask for clicks alone: every move of the mouse would be bytes on the link and work for nothing."""
        if self._mouse and not self._simple:
            self.write("\x1b[?1000h\x1b[?1006h")

    def _disable_mouse_support(self) -> None:
        if self._mouse and not self._simple:
            self.write("\x1b[?1000l\x1b[?1006l")

    def stop_application_mode(self) -> None:
        """Give the terminal back; pictures that still wait for it are thrown away."""
        self._writer.make_room()
        super().stop_application_mode()

    def close(self) -> None:
        """Stop both writers; a terminal that does not read is left behind after half a second."""
        super().close()
        self._writer.stop(STOP_WRITING_S)

    # --- in -----------------------------------------------------------------------------------------------

    def run_input_thread(self) -> None:
        """Read keys until the app ends or the terminal is gone."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        paste = PasteWatch(self._hooks.guard)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        return
                    text = decode(data)
                    paste.note(text, time.monotonic())
                    self._deliver(self._parsed(text))
                elif paste.is_overdue(time.monotonic()):
                    self._deliver(self._parsed(BRACKETED_PASTE_END))
                self._deliver(list(self._parser.tick()))

    def _read(self) -> bytes:
        """Give the next bytes, after acting on an emergency key in them; empty when the terminal is gone."""
        try:
            data = os.read(self.fileno, 4096)
        except OSError as problem:
            self._hooks.terminal_lost(f"terminal input: {problem.strerror}")
            return b""
        if not data:
            self._hooks.terminal_lost("terminal input: end of file")
            return b""
        emergency = self._emergency.scan(data)
        if emergency is not None:
            self._hooks.kill_switch.fire(emergency)
        return data

    def _parsed(self, text: str) -> list[Message]:
        found: list[Message] = []
        if not text:  # half a character; to the parser an empty text would be the end of all input
            return found
        try:
            found.extend(self._parser.feed(text))
        except _PARSER_FAULTS:
            self._parser = XTermParser(self._debug)  # the next key starts afresh
        return found

    def _deliver(self, messages: list[Message]) -> None:
        keys = sum(1 for message in messages if isinstance(message, events.Key))
        self._hooks.guard.note_keys(time.monotonic(), keys)
        for message in messages:
            if isinstance(message, events.CursorPosition):
                self._hooks.lag.answered(time.monotonic())
                continue
            if isinstance(message, events.Key) and message.key in EMERGENCY_KEYS:
                continue
            with contextlib.suppress(RuntimeError):  # the app's loop has ended
                self.process_message(message)


def terminal_hooks(app: App[Any]) -> TerminalHooks:
    """Give the hooks of a console app.

    Raises:
        TypeError: the app is not a console and has none.
    """
    hooks = getattr(app, "terminal_hooks", None)
    if not isinstance(hooks, TerminalHooks):
        raise TypeError(f"{type(app).__name__} has no terminal_hooks: the driver serves the console only")
    return hooks

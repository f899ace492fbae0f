"""The console's terminal driver: emergency keys first, output that never blocks, a lost terminal noticed.

The input thread looks at the raw bytes for the kill and halt keys and closes the gate right there, with no
lock and no call into the app, so that a frozen link, a modal, an input field, an unfinished paste or an app
that is busy cannot hold it up. After that the bytes go the ordinary way.
"""

from __future__ import annotations

import os
import selectors
import time
from codecs import getincrementaldecoder
from dataclasses import dataclass, field
from typing import Any, Protocol

from textual._parser import ParseError
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from app.kill_keys import Emergency, EmergencyKeys
from app.writer import FrameWriter

LONGEST_PASTE_S = 1.0
"""A paste that stays open longer ends itself, so that keys after it are keys again."""

BURST_KEYS = 8
BURST_S = 0.05
AFTER_GAP_S = 1.0
STOP_WRITING_S = 0.5


class KillSwitch(Protocol):
    """Closes the gate; called from the input thread."""

    def fire(self, emergency: Emergency) -> None:
        """Close the gate, and latch it for KILL; must not block."""
        ...


@dataclass(slots=True)
class InputGuard:
    """Says whether a key that adds risk may count now: not in a burst, a paste, or after a display gap."""

    burst_until_s: float = 0.0
    gap_until_s: float = 0.0
    paste_open: bool = False
    last_key_s: float = 0.0
    _recent: list[tuple[float, int]] = field(default_factory=list)

    def note_bytes(self, now_s: float, count: int) -> None:
        """Count bytes read; more than eight within 50 ms are a burst."""
        self.last_key_s = now_s
        self._recent = [(t, n) for t, n in self._recent if now_s - t < BURST_S]
        self._recent.append((now_s, count))
        if sum(n for _, n in self._recent) > BURST_KEYS:
            self.burst_until_s = now_s + BURST_S

    def note_gap(self, now_s: float) -> None:
        """Note that pictures were dropped: what is on the screen may be old for another second."""
        self.gap_until_s = now_s + AFTER_GAP_S

    def may_add_risk(self, now_s: float) -> bool:
        """Say whether a key that adds risk counts."""
        return not self.paste_open and now_s >= self.burst_until_s and now_s >= self.gap_until_s


class ConsoleDriver(LinuxDriver):
    """Textual's Linux driver with its own input thread and writer; the app is a `HostedApp`."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        hooks = terminal_hooks(app)
        self._hooks = hooks
        self._emergency = EmergencyKeys()
        assert self._file is not None
        self._writer = FrameWriter(self._file.fileno(), hooks.output_drained, hooks.terminal_lost)
        hooks.writer = self._writer
        self._writer.start()

    def write(self, data: str) -> None:
        """Queue output; drops it while the terminal does not read."""
        self._writer.put(data)

    def close(self) -> None:
        """Stop both writers; a terminal that does not read is left behind after half a second."""
        super().close()
        self._writer.stop(STOP_WRITING_S)

    def run_input_thread(self) -> None:
        """Read keys until the app ends or the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        paste = _PasteWatch(self._hooks.guard)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        return
                    self._feed(parser, paste.filtered(decode(data), time.monotonic()))
                elif paste.is_overdue(time.monotonic()):
                    self._feed(parser, BRACKETED_PASTE_END)
                for event in parser.tick():
                    self.process_message(event)

    def _read(self) -> bytes:
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
        if not data.startswith(b"\x1b"):
            self._hooks.guard.note_bytes(time.monotonic(), len(data))
        return data

    def _feed(self, parser: XTermParser, text: str) -> None:
        try:
            for event in parser.feed(text):
                self.process_message(event)
        except ParseError:
            return  # half a sequence at the end of a paste; the next key starts afresh


class _PasteWatch:
    """Follows bracketed pastes in the decoded text, so that one cannot stay open."""

    def __init__(self, guard: InputGuard) -> None:
        self._guard = guard
        self._open_since_s = 0.0

    def filtered(self, text: str, now_s: float) -> str:
        """Note where pastes open and close; gives the text unchanged."""
        start, end = text.rfind(BRACKETED_PASTE_START), text.rfind(BRACKETED_PASTE_END)
        if start > end:
            self._open_since_s, self._guard.paste_open = now_s, True
        elif end >= 0:
            self._guard.paste_open = False
            self._guard.burst_until_s = now_s + BURST_S
        return text

    def is_overdue(self, now_s: float) -> bool:
        """Say once that an open paste has lasted too long, and count it as closed."""
        if not self._guard.paste_open or now_s - self._open_since_s < LONGEST_PASTE_S:
            return False
        self._guard.paste_open = False
        return True


class TerminalHooks:
    """What the driver tells the console, from its own threads; the console sets the callbacks."""

    def __init__(self, kill_switch: KillSwitch) -> None:
        self.kill_switch = kill_switch
        self.guard = InputGuard()
        self.writer: FrameWriter | None = None
        self.on_lost: Any = None
        self.on_drained: Any = None
        self.lost_reason = ""

    def terminal_lost(self, reason: str) -> None:
        """Note that the terminal is gone."""
        self.lost_reason = self.lost_reason or reason
        if self.on_lost is not None:
            self.on_lost(reason)

    def output_drained(self) -> None:
        """Note that dropped pictures can be made good by a repaint."""
        self.guard.note_gap(time.monotonic())
        if self.on_drained is not None:
            self.on_drained()


def terminal_hooks(app: App[Any]) -> TerminalHooks:
    """Give the hooks of a console app.

    Raises:
        TypeError: the app is not a console and has none.
    """
    hooks = getattr(app, "terminal_hooks", None)
    if not isinstance(hooks, TerminalHooks):
        raise TypeError(f"{type(app).__name__} has no terminal_hooks: the driver serves the console only")
    return hooks

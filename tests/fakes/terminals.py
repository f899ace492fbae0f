"""A real terminal for process tests: a program in a pseudo-terminal, its screen, and what can go wrong with
it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyte

ROOT = Path(__file__).resolve().parents[2]
_QUESTIONS = re.compile(rb"\x1b\[[<>=?][0-9;$]*[a-zA-Z]")
_CURSOR = b"\x1b[6n"
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Makes the pseudo-terminal the program's controlling one, so that closing it hangs up."""


class Terminal:
    """Runs `python ARGUMENTS` on a screen; reads only when told to."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        size: tuple[int, int] = (160, 48),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start; `size` is columns and rows."""
        columns, rows = size
        self.master, self._slave = pty.openpty()
        self.before = termios.tcgetattr(self._slave)
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        self.resize(columns, rows)
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "NO_COLOR", "LC_ALL", "COLORTERM")
        }
        colours = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *arguments],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            cwd=ROOT,
            start_new_session=True,
            env={**inherited, **colours, **(environment or {})},
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for descriptor in (self.master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def type(self, keys: bytes) -> None:
        """Write keys; reads nothing."""
        os.write(self.master, keys)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as a window manager does."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds: float) -> bytes:
        """Read for so long and draw; gives what came."""
        until_s, came = time.monotonic() + seconds, bytearray()
        while (left_s := until_s - time.monotonic()) > 0:
            ready, _, _ = select.select([self.master], [], [], left_s)
            if not ready:
                break
            try:
                data = os.read(self.master, 65_536)
            except OSError:
                break
            came += data
            self._take(data)
        return bytes(came)

    def _take(self, data: bytes) -> None:
        """Draw, and answer where the cursor is as a terminal does once it got there."""
        self.output += data
        self._stream.feed(_QUESTIONS.sub(_shown, data))
        for _ in range(data.count(_CURSOR)):
            os.write(self.master, b"\x1b[1;1R")

    def read_slowly(self, seconds: float, bytes_a_second: int) -> None:
        """Read for so long, no faster than a thin link."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            time.sleep(0.05)
            if select.select([self.master], [], [], 0)[0]:
                self._take(os.read(self.master, bytes_a_second // 20))

    def until(self, holds: Callable[[str], Any], timeout_s: float = 30.0) -> str:
        """Read until the screen's text is as wanted; gives it."""
        until_s = time.monotonic() + timeout_s
        while not holds(self.text()):
            assert self.process.poll() is None, f"it ended: {bytes(self.output[-2000:])!r}"
            assert time.monotonic() < until_s, f"not within {timeout_s} s:\n{self.text()}"
            self.read(0.05)
        return self.text()

    def text(self) -> str:
        """Give what stands on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def hang_up(self) -> None:
        """Close the terminal, as a lost SSH connection does."""
        os.close(self._slave)
        os.close(self.master)

    def attributes(self) -> list[Any]:
        """Give the terminal's settings now."""
        return termios.tcgetattr(self._slave)

    def wait(self, timeout_s: float = 10.0) -> int:
        """Wait for the program's end, reading on; gives its status."""
        until_s = time.monotonic() + timeout_s
        while self.process.poll() is None and time.monotonic() < until_s:
            with contextlib.suppress(OSError, ValueError):
                self.read(0.05)
        return self.process.wait(0.1)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)


def _shown(match: re.Match[bytes]) -> bytes:
    """Keep of the private sequences those pyte knows."""
    return match.group() if match.group()[-1:] in b"hl" else b""

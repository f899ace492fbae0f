"""A program in a pseudo-terminal of its own: what it draws, what it costs, when keys reach it."""

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
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from app.bench_tools import BenchError
from app.launch import child_environment

_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[ -/]*[0-~])", re.DOTALL
)
_PRICE = re.compile(rb"\d\d,?\d{3}\.\d\d")
"""Of the markets `bench` plays; an empty screen has none."""
LEAST_PRICES = 4
_READ_BYTES = 1 << 16
_END_S = 3.0


class TerminalProgram:
    """`lobdeck ...`, or another module, in a pseudo-terminal; leaving the context hangs up and ends it."""

    def __init__(
        self,
        arguments: Sequence[str],
        rows: int,
        columns: int,
        environment: Mapping[str, str] | None = None,
        profile: Path | None = None,
        module: str = "app",
    ) -> None:
        """Start the command as typed into a shell, in a terminal with all colours and UTF-8."""
        self.started_s = time.perf_counter()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        terminal = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "truecolor"}
        inherited = {
            name: value
            for name, value in child_environment().items()
            if name not in ("TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "NO_COLOR", "LC_ALL")
        }
        profiler = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
        self._process = subprocess.Popen(
            [sys.executable, "-P", *profiler, "-m", module, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**inherited, **terminal, **(environment or {})},
        )
        os.close(slave)

    def __enter__(self) -> TerminalProgram:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up, and end what does not end by that."""
        os.close(self._master)
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGHUP)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Process of the console."""
        return self._process.pid

    def type(self, keys: bytes) -> None:
        """Write keys; never waits for what is drawn."""
        os.write(self._master, keys)

    def read(self, timeout_s: float) -> bytes:
        """Give what has been drawn since the last read, waiting at most so long for the first of it.

        Raises:
            BenchError: the program has ended.
        """
        ready, _, _ = select.select([self._master], [], [], max(timeout_s, 0.0))
        if not ready:
            return b""
        try:
            return os.read(self._master, _READ_BYTES)
        except OSError:
            raise BenchError(f"the program ended with status {self._process.wait()}") from None

    def read_for(self, seconds: float) -> bytes:
        """Keep reading for so long, as a terminal does, and give everything."""
        until_s = time.perf_counter() + seconds
        drawn = bytearray()
        while (left_s := until_s - time.perf_counter()) > 0:
            drawn += self.read(left_s)
        return bytes(drawn)

    def wait_for_prices(self, longest_s: float) -> tuple[float, float]:
        """Read until prices have been drawn; give the seconds from the start to the first byte, and to them.

        Raises:
            BenchError: there were none in time.
        """
        drawn = bytearray()
        first_s = 0.0
        while (now_s := time.perf_counter() - self.started_s) < longest_s:
            drawn += self.read(0.1)
            first_s = first_s or (now_s if drawn else 0.0)
            if len(_PRICE.findall(_SEQUENCE.sub(b"\n", bytes(drawn)))) >= LEAST_PRICES:
                return first_s, time.perf_counter() - self.started_s
        raise BenchError(
            f"no prices on the screen within {longest_s:.0f} s: {text_of(bytes(drawn))[-120:]!r}"
        )


def text_of(drawn: bytes) -> str:
    """Give what was printed, without the sequences that move and colour."""
    return _SEQUENCE.sub(b"", drawn).decode("utf-8", "replace")


def cells_written(drawn: bytes) -> int:
    """Count the characters written to cells."""
    return sum(1 for char in text_of(drawn) if char.isprintable())


def bytes_profile(drawn: bytes) -> str:
    """Say what the bytes were spent on."""
    sequences = [match.group() for match in _SEQUENCE.finditer(drawn)]
    colours = sum(len(one) for one in sequences if one.endswith(b"m"))
    moves = sum(len(one) for one in sequences if one.endswith((b"H", b"G", b"C")))
    others = sum(map(len, sequences)) - colours - moves
    whole = len(drawn) or 1
    shares = {"colours": colours, "moves": moves, "other sequences": others}
    shares["text"] = len(drawn) - sum(shares.values())
    return ", ".join(f"{name} {100 * count / whole:.0f} %" for name, count in shares.items())

"""The writer never makes the app wait, drops while the terminal is stuck, and repaints afterwards."""

from __future__ import annotations

import os
import threading
import time

import pytest

from app.writer import QUEUE_BYTES, FrameWriter


class Terminal:
    """A pipe nobody reads until told to."""

    def __init__(self) -> None:
        self.reader, self.end = os.pipe()
        self.drained = threading.Event()
        self.lost: list[str] = []
        self.missed: list[bool] = []
        self.writer = FrameWriter(self.end, self.note_drained, self.lost.append)
        self.writer.start()

    def note_drained(self, dropped: bool) -> None:
        self.missed.append(dropped)
        self.drained.set()

    def read_until(self, condition: threading.Event, timeout_s: float = 5.0) -> int:
        os.set_blocking(self.reader, False)
        deadline, total = time.monotonic() + timeout_s, 0
        while not condition.is_set() and time.monotonic() < deadline:
            try:
                total += len(os.read(self.reader, 65_536))
            except BlockingIOError:
                time.sleep(0.001)
        return total


def test_a_stuck_terminal_never_blocks_the_app_and_is_repainted() -> None:
    terminal = Terminal()
    picture = "x" * 8_192
    started = time.monotonic()
    for _ in range(4 * QUEUE_BYTES // len(picture)):
        terminal.writer.put(picture)
    assert time.monotonic() - started < 1.0
    assert terminal.writer.is_behind
    assert terminal.writer.dropped > 0
    assert terminal.writer._queued <= QUEUE_BYTES
    assert not terminal.drained.is_set()
    terminal.read_until(terminal.drained)
    assert terminal.drained.is_set()
    assert not terminal.writer.is_behind
    assert terminal.missed == [True]
    assert terminal.writer.stop(2.0)


def test_a_stall_in_which_nothing_was_dropped_is_no_reason_to_paint_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.writer.STALL_S", 0.01)
    terminal = Terminal()
    terminal.writer.put("x" * 200_000)
    while terminal.writer.stalled_s < 0.05:
        time.sleep(0.001)
    assert terminal.writer.is_busy
    terminal.read_until(terminal.drained)
    assert terminal.missed == [False]
    assert terminal.writer.stop(2.0)


def test_what_waits_is_thrown_away_for_what_gives_the_terminal_back() -> None:
    terminal = Terminal()
    terminal.writer.put("x" * 100_000)
    while terminal.writer.stalled_s < 0.01:
        time.sleep(0.001)
    for _ in range(40):
        terminal.writer.put("y" * 10_000)
    assert terminal.writer.is_behind
    terminal.writer.make_room()
    terminal.writer.put("given back")
    everything = bytearray()
    while not everything.endswith(b"given back"):
        everything += os.read(terminal.reader, 65_536)
    assert b"y" not in everything
    assert terminal.writer.stop(2.0)


def test_stop_gives_up_on_a_terminal_that_does_not_read() -> None:
    terminal = Terminal()
    terminal.writer.put("x" * 200_000)
    while terminal.writer.stalled_s < 0.01:
        time.sleep(0.001)
    started = time.monotonic()
    assert not terminal.writer.stop(0.1)
    assert time.monotonic() - started < 1.0
    os.close(terminal.reader)


def test_a_closed_terminal_is_reported_as_lost() -> None:
    terminal = Terminal()
    os.close(terminal.reader)
    terminal.writer.put("picture")
    terminal.writer.join(2.0)
    assert len(terminal.lost) == 1


def test_what_fits_is_written_in_order() -> None:
    terminal = Terminal()
    for word in ("one ", "two ", "three"):
        terminal.writer.put(word)
    assert terminal.writer.stop(2.0)
    assert os.read(terminal.reader, 100) == b"one two three"
    assert terminal.writer.bytes_written == 13

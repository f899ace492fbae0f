"""How the kill key's times are taken and judged beside the control."""

from __future__ import annotations

import mmap
import os
import pty
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app import bench_kill
from app.bench_key_control import PAGE_BYTES, answer
from app.bench_kill import Presses, kill_row, seen_after_ms
from app.bench_report import Verdict
from app.bench_tools import BenchError


def presses(ours_ms: list[float], control_ms: list[float]) -> Presses:
    return Presses(ours_ms, control_ms)


def test_each_is_pressed_first_as_often() -> None:
    order: list[str] = []

    def press(name: str, took_ms: float) -> float:
        order.append(name)
        return took_ms

    taken = Presses()
    for _ in range(4):
        taken.take_turns(lambda: press("ours", 1.0), lambda: press("control", 2.0))
    assert order == ["control", "ours", "ours", "control"] * 2
    assert (taken.ours_ms, taken.control_ms) == ([1.0] * 4, [2.0] * 4)


def test_what_the_machine_adds_to_both_is_not_ours() -> None:
    busy = presses([1.0] * 97 + [80.0] * 3, [0.3] * 97 + [90.0] * 3)
    assert busy.beyond_ms() == 0.0
    assert kill_row(busy, 30.0).verdict is Verdict.MET


def test_a_slow_path_misses_the_budget_however_quiet_the_control() -> None:
    slow = presses([31.0] * 100, [0.3] * 100)
    row = kill_row(slow, 30.0)
    assert row.measured == pytest.approx(30.7)
    assert row.verdict is Verdict.MISSED
    assert row.profile == "p90 30.7 ms beyond, p50 30.7 ms"
    assert row.note == (
        "100 rounds: p50 31.0, p99 31.0, largest 31.0 ms; control p50 0.3, p99 0.3, largest 0.3 ms; "
        "terminal not read for 30 s and on"
    )


def test_one_late_key_of_a_hundred_is_no_slow_path_and_two_are() -> None:
    assert kill_row(presses([1.0] * 99 + [900.0], [0.3] * 100), 30.0).verdict is Verdict.MET
    assert kill_row(presses([1.0] * 98 + [900.0] * 2, [0.3] * 100), 30.0).verdict is Verdict.MISSED


def test_a_key_without_effect_is_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_kill, "SEEN_S", 0.01)
    with pytest.raises(BenchError, match="nothing was seen"):
        seen_after_ms(lambda: None, lambda: False)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[mmap.mmap]:
    path = tmp_path / "page"
    path.write_bytes(bytes(PAGE_BYTES))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), PAGE_BYTES) as mapped:
        yield mapped


def counted(page: mmap.mmap, count: int) -> bool:
    return page[0] == count


def test_the_control_counts_keys_until_its_terminal_is_gone(page: mmap.mmap) -> None:
    master, slave = pty.openpty()
    thread = threading.Thread(target=answer, args=(slave, page))
    thread.start()
    for count in (1, 2):
        os.write(master, b"\n")
        seen_after_ms(lambda: None, partial(counted, page, count))
    os.close(master)
    thread.join(5)
    assert not thread.is_alive()
    os.close(slave)

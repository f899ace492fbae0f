"""The chain's head leaves the box, never holds the session up, and trouble is said once."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.core.effects import AlertCode
from pipeline.core.evidence import HeadLeft
from pipeline.core.types import Severity
from pipeline.runtime.head_out import Head, HeadOut, Outcome
from pipeline.runtime.head_params import HeadParams
from tests.fakes.engines import Floor

HEAD = Head("demo-1", 2, 41, "ab" * 32)
LINE = f"session=demo-1 run=2 record=41 head={'ab' * 32}"


def until(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s, "it never came true"
        time.sleep(0.005)


def outcome_of(out: HeadOut) -> Outcome:
    found: list[Outcome] = []

    def came() -> bool:
        outcome = out.outcome()
        if outcome is not None:
            found.append(outcome)
        return bool(found)

    until(came)
    return found[0]


def program(folder: Path, script: str) -> str:
    path = folder / "hook"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


@pytest.fixture(params=[socket.SOCK_DGRAM, socket.SOCK_STREAM])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    with socket.socket(socket.AF_UNIX, request.param) as listener:
        listener.settimeout(5)
        listener.bind(str(tmp_path / "log"))
        if request.param == socket.SOCK_STREAM:
            listener.listen()
        yield str(tmp_path / "log"), listener


def test_the_systems_log_gets_one_line(log: tuple[str, socket.socket]) -> None:
    address, listener = log
    out = HeadOut(HeadParams(syslog=address))
    assert out.send(HEAD, 1.0) is None
    source = listener if listener.type == socket.SOCK_DGRAM else listener.accept()[0]
    with source:
        assert source.recv(1_000) == f"<14>lobdeck: {LINE}\0".encode()
    assert outcome_of(out) == Outcome(HEAD, "")


def test_a_log_that_is_not_there_is_trouble(tmp_path: Path) -> None:
    out = HeadOut(HeadParams(syslog=str(tmp_path / "none")))
    out.send(HEAD, 1.0)
    assert "No such file" in outcome_of(out).trouble


def test_a_program_gets_it_in_words_of_its_own(tmp_path: Path) -> None:
    hook = program(tmp_path, f'echo "$@" > {tmp_path}/kept')
    out = HeadOut(HeadParams(hook=hook))
    out.send(HEAD, 1.0)
    assert outcome_of(out).trouble == ""
    assert (tmp_path / "kept").read_text() == f"demo-1 2 41 {'ab' * 32}\n"


@pytest.mark.parametrize(
    ("script", "trouble"), [("exit 3", "exit status 3"), ("kill -9 $$", "exit status -9")]
)
def test_a_program_that_fails_is_trouble(tmp_path: Path, script: str, trouble: str) -> None:
    out = HeadOut(HeadParams(hook=program(tmp_path, script)))
    out.send(HEAD, 1.0)
    assert outcome_of(out).trouble.endswith(trouble)


def test_a_program_that_is_none_is_trouble() -> None:
    out = HeadOut(HeadParams(hook="/nowhere/at/all"))
    out.send(HEAD, 1.0)
    assert outcome_of(out).trouble == "/nowhere/at/all: No such file or directory"


def test_a_program_that_hangs_holds_nothing_up_and_is_ended_with_what_it_started(tmp_path: Path) -> None:
    hook = program(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; wait")
    out = HeadOut(HeadParams(hook=hook, timeout_s=0.5))
    before_s = time.monotonic()
    out.send(HEAD, 1.0)
    assert out.outcome() is None
    assert time.monotonic() - before_s < 0.3
    assert outcome_of(out).trouble == f"{hook}: no end after 0.5 s"
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_while_one_is_on_its_way_the_next_is_trouble_and_not_queued(tmp_path: Path) -> None:
    out = HeadOut(HeadParams(every_s=1, hook=program(tmp_path, "sleep 0.3")))
    assert out.send(HEAD, 1.0) is None
    second = out.send(Head("demo-1", 2, 42, "cd" * 32), 2.0)
    assert second is not None
    assert "still on its way" in second.trouble
    assert outcome_of(out) == Outcome(HEAD, "")


def test_the_first_is_due_one_period_after_the_start_and_then_each_period() -> None:
    out = HeadOut(HeadParams(every_s=10, hook="/bin/true"))
    due = []
    for second in range(100, 131):
        if out.is_due(float(second)):
            due.append(second)
            out.send(HEAD, float(second))
            outcome_of(out)
    assert due == [110, 120, 130]


@pytest.mark.parametrize("params", [HeadParams(), HeadParams(every_s=0, hook="/bin/true")])
def test_nothing_is_due_where_nothing_is_wanted(params: HeadParams) -> None:
    out = HeadOut(params)
    assert not any(out.is_due(float(second)) for second in range(0, 10_000, 100))
    assert out.close(HEAD) == ""


class TestEnd:
    def test_sends_the_last_one(self, tmp_path: Path) -> None:
        hook = program(tmp_path, f'echo "$4" > {tmp_path}/kept')
        assert HeadOut(HeadParams(hook=hook)).close(HEAD) == ""
        assert (tmp_path / "kept").read_text().strip() == HEAD.digest

    def test_waits_for_it_no_longer_than_a_moment(self, tmp_path: Path) -> None:
        out = HeadOut(HeadParams(hook=program(tmp_path, "exec sleep 4"), timeout_s=3))
        before_s = time.monotonic()
        assert out.close(HEAD) == "not out after 2 s"
        assert time.monotonic() - before_s < 3.5


class TestEngine:
    def told(self, floor: Floor) -> list[tuple[AlertCode, Severity]]:
        codes = (AlertCode.HEAD_NOT_KEPT, AlertCode.HEAD_KEPT)
        return [(one.code, one.severity) for code in codes for one in floor.alerts(code)]

    def put(self, floor: Floor, trouble: str) -> None:
        floor.put(HeadLeft("ab" * 32, trouble, floor.now_ns))
        floor.pass_ms(60_000)

    def test_says_trouble_once_and_its_end_once(self) -> None:
        floor = Floor()
        for trouble in ("", "/dev/log: gone", "/dev/log: gone", "hook: exit status 1"):
            self.put(floor, trouble)
        assert self.told(floor) == [(AlertCode.HEAD_NOT_KEPT, Severity.WARN)]
        assert floor.state.alerts.unnoted == 1
        self.put(floor, "")
        self.put(floor, "")
        assert self.told(floor)[1:] == [(AlertCode.HEAD_KEPT, Severity.INFO)]

    def test_goes_on_trading(self) -> None:
        floor = Floor()
        before = floor.engine.trading_state
        self.put(floor, "/dev/log: gone")
        assert floor.engine.trading_state is before


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    out = HeadOut(HeadParams(syslog=str(tmp_path / "none"), hook="/bin/true"))
    out.send(HEAD, 1.0)
    outcome_of(out)
    before = len(os.listdir("/proc/self/fd"))
    for second in range(5):
        out.send(HEAD, float(second))
        outcome_of(out)
    assert len(os.listdir("/proc/self/fd")) == before

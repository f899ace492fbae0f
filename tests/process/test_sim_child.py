"""The simulated exchange as a child: found, ended with whoever started it, its last word kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline.runtime.sim_child import LOG_NAME, SimChild, SimError
from pipeline.runtime.sim_params import SimParams
from tests.fakes.sessions import ROOT
from tests.fakes.sim_process import api

SYMBOLS = ("BTCUSDT",)
PARENT = """
import sys, time
from pathlib import Path
from pipeline.runtime.sim_child import SimChild
from pipeline.runtime.sim_params import SimParams
sim = SimChild(SimParams(), ("BTCUSDT",), Path(sys.argv[1]))
sim.address()
print(sim.pid, flush=True)
time.sleep(60)
"""


def is_gone(pid: int, within_s: float = 5.0) -> bool:
    """Say whether a process ends; one nobody has waited for yet counts as ended."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


async def book_of(api_url: str) -> list[str]:
    async with api({"api_url": api_url}) as socket:
        await socket.send('{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","limit":1}}')
        found: list[str] = json.loads(await socket.recv())["result"]["bids"][0]
        return found


async def test_it_says_where_it_is_and_answers_there(tmp_path: Path) -> None:
    sim = SimChild(SimParams(seed=3), SYMBOLS, tmp_path)
    try:
        address = sim.address()
        assert sim.exit_status is None
        assert await book_of(address.api_url)
        assert len(address.secret) == 64
    finally:
        sim.close()
    assert sim.exit_status == 0
    last = json.loads((tmp_path / LOG_NAME).read_text().splitlines()[-1])
    assert last["symbols"]["BTCUSDT"]["orders"] == 0


def test_it_leaves_the_terminal_s_signals_to_the_session(tmp_path: Path) -> None:
    sim = SimChild(SimParams(), SYMBOLS, tmp_path)
    try:
        sim.address()
        assert os.getsid(sim.pid) == sim.pid
    finally:
        sim.close()


def test_it_ends_with_a_session_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.send_signal(signal.SIGKILL)
    assert is_gone(pid)
    assert "Traceback" not in (tmp_path / LOG_NAME).read_text()


def test_one_that_will_not_end_is_killed(tmp_path: Path) -> None:
    sim = SimChild(SimParams(end_ms=100), SYMBOLS, tmp_path)
    sim.address()
    os.kill(sim.pid, signal.SIGSTOP)
    sim.close()
    assert sim.exit_status == -signal.SIGKILL


def test_one_that_refuses_its_options_is_a_line_with_its_log(tmp_path: Path) -> None:
    sim = SimChild(SimParams(pace="hasty"), SYMBOLS, tmp_path)
    with pytest.raises(SimError, match=rf"ended at once \(log: .*{LOG_NAME}\)"):
        sim.address()
    sim.close()
    assert "--pace hasty: wanted usual or calm" in (tmp_path / LOG_NAME).read_text()


def test_one_that_says_nothing_in_time_is_given_up(tmp_path: Path) -> None:
    sim = SimChild(SimParams(ready_ms=0), SYMBOLS, tmp_path)
    with pytest.raises(SimError, match="did not say where it is"):
        sim.address()
    sim.close()
    assert sim.exit_status is not None


def test_its_output_cannot_fill_the_disk(tmp_path: Path) -> None:
    sim = SimChild(SimParams(), SYMBOLS, tmp_path)
    try:
        limits = Path(f"/proc/{sim.pid}/limits").read_text()
        (line,) = [one for one in limits.splitlines() if one.startswith("Max file size")]
        assert line.split()[3:5] == [str(1 << 20)] * 2
    finally:
        sim.close()

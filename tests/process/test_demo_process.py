"""`lobdeck demo` in real processes: traded headless, by a scripted trader, and with its exchange shot dead.

The three wait for the market's own time, so they run side by side.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace

from app.demo_command import DemoOptions, build_demo
from app.launch import start_session
from pipeline.core.inputs import Command
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import BookState
from pipeline.runtime.link_messages import SnapshotFrame
from pipeline.runtime.sim_child import LOG_NAME
from tests.fakes.scripted_trader import ScriptedTrader
from tests.fakes.session_processes import LinkClient, LiveSession
from tests.fakes.sessions import ROOT

HEADLESS = ("--headless", "--authority", "auto", "--seed", "7", "--seconds", "20")
TRADES_S = 25.0


@dataclass
class Headless:
    """The issue's own command, running."""

    home: Path
    process: subprocess.Popen[str]

    def ended(self) -> tuple[int, dict[str, Any], dict[str, Any]]:
        """Give exit status, summary and what the exchange's ledger said at its end."""
        _, errors = self.process.communicate(timeout=60)
        summary = json.loads((self.home / "summary.json").read_text())
        assert errors == f"journal head {summary['journal_head']}\n", "nothing but the journal's head"
        log = (self.home / "sessions" / "auto" / LOG_NAME).read_text()
        return self.process.returncode, summary, json.loads(log.splitlines()[-1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        folder.chmod(0o700)
        patch.setenv("LOBDECK_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module", autouse=True)
def headless(home: Path) -> Iterator[Headless]:
    command = [sys.executable, "-m", "app", "demo", *HEADLESS, "--name", "auto"]
    process = subprocess.Popen(
        [*command, "--summary", str(home / "summary.json")],
        cwd=ROOT,
        env={**os.environ, "LOBDECK_HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    yield Headless(home, process)
    if process.poll() is None:
        process.kill()
    process.communicate()


@contextlib.contextmanager
def demo(name: str) -> Iterator[LiveSession]:
    spec, place = build_demo(DemoOptions(name=name, workers=1))
    session = LiveSession(start_session(replace(spec, linger_s=0.0), place), place)
    try:
        yield session
    finally:
        if session.process.poll() is None:
            os.kill(session.process.pid, signal.SIGKILL)
        session.process.wait(10)


def pictures(client: LinkClient, seconds: float) -> Iterator[ConsoleSnapshot]:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        yield client.until(SnapshotFrame).snapshot


def seen(client: LinkClient, holds: Callable[[ConsoleSnapshot], bool], within_s: float) -> ConsoleSnapshot:
    last = None
    for last in pictures(client, within_s):
        if holds(last):
            return last
    raise AssertionError(f"not seen within {within_s} s; last: {last}")


def is_gone(pid: int, within_s: float = 5.0) -> bool:
    until_s = time.monotonic() + within_s
    while psutil.pid_exists(pid) and time.monotonic() < until_s:
        time.sleep(0.02)
    return not psutil.pid_exists(pid)


def test_a_trader_who_permits_each_idea_a_reaction_later_is_filled() -> None:
    trader = ScriptedTrader()
    with demo("trader") as session, LinkClient(session.place) as client:
        client.attach(frame_hz=10)
        first = client.until(SnapshotFrame).snapshot
        live = seen(client, lambda picture: picture.ladder.state is BookState.SYNCED, 10)
        for picture in pictures(client, TRADES_S):
            press = trader.look(picture)
            if press is not None:
                assert client.command(Command.PERMIT_ONCE, target_id=press[0], revision=press[1]).ok
        status = session.status()
    assert first.why.planted
    assert (first.header.mode.value, first.header.authority.name) == ("SIM", "APPROVE")
    assert min(trader.appeared_ns.values()) - live.ts_ns <= 10_000_000_000
    assert trader.permits
    assert len(trader.filled) * 2 >= len(trader.permits), (trader.filled, trader.permits)
    assert status["mode"] == "SIM"
    assert is_gone(status["pids"]["sim"]), "the session was killed, and its exchange with it"


def test_an_exchange_that_died_is_said_and_nothing_trades() -> None:
    with demo("bereft") as session, LinkClient(session.place) as client:
        client.attach(frame_hz=10)
        seen(client, lambda picture: picture.ladder.state is BookState.SYNCED, 10)
        os.kill(session.status()["pids"]["sim"], signal.SIGKILL)

        last = seen(client, lambda picture: picture.ladder.state is not BookState.SYNCED, 5)
        seen(client, lambda picture: any("signal 9" in one.detail for one in picture.alerts), 5)
        orders = session.status()["orders"]
        last = seen(client, lambda picture: picture.ts_ns - last.ts_ns > 2_000_000_000, 10)
        assert last.ladder.state is not BookState.SYNCED
        assert not last.proposals
        assert session.status()["orders"] == orders


def test_headless_in_auto_it_trades_and_agrees_with_the_exchange_s_ledger(headless: Headless) -> None:
    status, summary, account = headless.ended()
    ledger = account["symbols"]["BTCUSDT"]
    assert (status, summary["exit"], summary["gaps"]) == (0, "clean", 0)
    assert summary["orders"] == ledger["orders"] + ledger["refused"] > 0
    assert summary["fills"] == ledger["fills"] > 0
    assert account["open_orders"] == 0
    position = summary["position"]["BTCUSDT"]["qty"]
    assert round(float(position) * 1e5) == ledger["position_lots"]
    assert psutil.pid_exists(summary["pids"]["sim"]) is False

"""Real guards at work: sessions at a simulated venue, orders put under their name, what its records say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.core.order import client_order_id
from pipeline.runtime.guard_report import GuardReport, read_report
from pipeline.runtime.places import SessionPlace
from tests.fakes.sessions import ROOT
from tests.fakes.sim_process import ApiClient, api
from tests.fakes.venue_sessions import VenueSession

AGENT = "lobdeck-guard"


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Every entry of a ledger or request log."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def until(holds: Callable[[], Any], timeout_s: float = 20.0, what: str = "") -> Any:
    """Wait until something is true, and give it."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := holds()):
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {what}"
        time.sleep(0.01)
    return found


def report_of(place: SessionPlace) -> GuardReport:
    """The guard's report; an empty one before the first."""
    return read_report(place.root) or GuardReport()


def guard_ready(session: VenueSession) -> GuardReport:
    """Wait until the guard of a session watches and has its venue."""
    found: GuardReport = until(lambda: _ready(session.place), what="the guard watches")
    return found


def _ready(place: SessionPlace) -> GuardReport | None:
    report = read_report(place.root)
    ready = report is not None and report.phase == "watching" and report.venue_up
    return report if ready else None


async def place_resting(at: Mapping[str, Any], number: int, ours: int, foreign: int) -> list[str]:
    """Put orders far from the market: `ours` with ids of session `number`, `foreign` with other ones."""
    ids = [client_order_id(number, 1_000 + one) for one in range(ours)]
    async with api(dict(at)) as socket:
        client = ApiClient(socket, dict(at))
        bid, _ = await client.touch()
        far = f"{float(bid) * 0.9:.2f}"
        for one in [*ids, *(f"x-foreign-{two}" for two in range(foreign))]:
            answer = await client.limit("BUY", far, "0.001", newClientOrderId=one)
            assert answer["status"] == 200, answer
    return ids


async def open_ids(at: Mapping[str, Any]) -> set[str]:
    """The client order ids the venue has open."""
    async with api(dict(at)) as socket:
        found = await ApiClient(socket, dict(at)).signed("openOrders.status", symbol="BTCUSDT")
    return {one["clientOrderId"] for one in found["result"]}


def guard_connections(requests: Path) -> set[int]:
    """Numbers of the connections guards opened."""
    opened = (one for one in lines_of(requests) if one["what"] == "opened")
    return {one["connection"] for one in opened if one["agent"] == AGENT}


def is_alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def lobdeck(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "app", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

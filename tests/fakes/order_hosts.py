"""Starts `order_host` at a simulated venue and sees to it that neither it nor its guard is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from pipeline.runtime.guard_params import GuardSettings
from pipeline.runtime.places import SessionPlace, make_session
from pipeline.runtime.venue_keys import write_keys
from pipeline.wire.binance_requests import ApiKey
from tests.fakes.guards import is_alive, report_of, until
from tests.fakes.order_host import HostSettings
from tests.fakes.sessions import ROOT
from tests.fakes.sim_process import SERVER, SimProcess, popen

WINDOW_MS = 400
HASTY = GuardSettings(ack_ms=100, settle_ms=100)
"""A test is as long as the guard is patient."""


@contextmanager
def venue(home: Path, seconds: int = 60, name: str = "binance") -> Iterator[dict[str, Any]]:
    """A venue that writes its ledger down."""
    records = ("--ledger", str(home / "ledger"), "--requests", str(home / "requests"))
    process = popen(*SERVER, "--json", "--seconds", str(seconds), "--venue", name, *records)
    try:
        yield SimProcess(process).at
    finally:
        process.kill()
        process.communicate()


class OrderHost:
    """An engine that sends orders, in a process of its own."""

    def __init__(self, at: dict[str, Any], number: int, **changes: Any) -> None:
        self.place: SessionPlace = make_session(f"host-{number >> 20}")
        keys = self.place.root / "keys.toml"
        write_keys(keys, ApiKey(at["api_key"], at["secret"]))
        given = HostSettings(
            directory=str(self.place.root),
            api_url=at["api_url"],
            rest_url=at["rest_url"],
            keys=str(keys),
            venue=at["venue"],
            number=number,
            **{"recv_window_ms": WINDOW_MS, "settings": HASTY, **changes},
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.order_host"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(msgspec.to_builtins(given)) + "\n")
        self.process.stdin.flush()

    def is_stopped(self) -> bool:
        text = Path(f"/proc/{self.process.pid}/stat").read_text()
        return text.rpartition(")")[2].split()[0] == "T"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; one to a process that is gone already goes nowhere."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)

    def end(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.communicate(timeout=10)
        guard = report_of(self.place).pid
        until(lambda: not guard or not is_alive(guard), 10, "the guard ends")


@contextmanager
def host(at: dict[str, Any], number: int, **changes: Any) -> Iterator[OrderHost]:
    one = OrderHost(at, number, **changes)
    try:
        yield one
    finally:
        one.end()

"""A small engine for tests of the guard: the real order path, gate and guard, and orders as fast as allowed.

`python -m tests.fakes.order_host` with its settings as a JSON line on stdin. It sends resting orders far from
the market until the gate closes. With `stop_at` its transport stops the whole process (SIGSTOP to itself)
right before that order is written, after the gate was read: what a scheduler may do at any time. At a venue
that has no order path yet (USD-M) it only beats; a file `sick` in its directory makes its chain unhealthy.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from pipeline.core.effects import SubmitOrder
from pipeline.core.inputs import Input
from pipeline.core.order import client_order_id
from pipeline.core.params import MS
from pipeline.core.types import RiskApproved
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_socket import Receiver, Socket, open_socket
from pipeline.runtime.gate import Gate
from pipeline.runtime.gate_watch import GateWatch
from pipeline.runtime.guard_keeper import GuardKeeper
from pipeline.runtime.guard_params import GuardParams, GuardSettings
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.venue_gateway import VenueGateway
from pipeline.runtime.venue_keys import read_keys
from pipeline.runtime.venue_params import VenueParams
from tests.fakes.trading import POLICY, intent

FAR_TICKS = 5_800_000
PAUSE_S = 0.005


class HostSettings(msgspec.Struct, kw_only=True):
    """What a host is told."""

    directory: str
    api_url: str
    rest_url: str
    keys: str
    venue: str = "binance"
    number: int
    guarded: bool = True
    stop_at: int = 0
    """Which order stops the process; 0 none."""
    pace_ms: int = 25
    most: int = 48
    recv_window_ms: int = 1_000
    settings: GuardSettings = GuardSettings()


class StoppingSocket:
    """A connection that stops the process before one of its orders leaves."""

    def __init__(self, inner: Socket, stop_at: int) -> None:
        self._inner = inner
        self._left = stop_at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def send(self, message: bytes) -> None:
        if b'"order.place"' in message:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGSTOP)
        self._inner.send(message)


class Stopping:
    """Puts a `StoppingSocket` between gateway and connection."""

    def __init__(self, inner: Receiver, stop_at: int) -> None:
        self._inner = inner
        self._stop_at = stop_at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def on_open(self, socket: Socket) -> None:
        self._inner.on_open(StoppingSocket(socket, self._stop_at))


async def host(given: HostSettings) -> None:
    """Send orders until told otherwise, for half a minute at most."""
    directory, clock = Path(given.directory), SessionClock()
    gate = Gate.create(directory)
    watch = GateWatch(gate)
    params = VenueParams(
        api_url=given.api_url,
        key_path=given.keys,
        account="sim",
        recv_window_ms=given.recv_window_ms,
        earlier_ms=0,
        backoff_first_ms=20,
        share_percent=100,
    )

    async def connect(url: str, receiver: Receiver, its_clock: SessionClock, most: int) -> None:
        await open_socket(url, Stopping(receiver, given.stop_at), its_clock, most)

    instruments = {one.symbol: one for one in load_instruments("binance", ("BTCUSDT",), None, None)}
    gateway = VenueGateway(
        params, instruments, read_keys(Path(given.keys)), given.number, gate, clock, connect=connect
    )
    speaks = given.venue == "binance"
    keeper = _keeper(given, directory) if given.guarded else None
    heard: list[Input] = []
    counter, next_ns, until_s = 0, 0, time.monotonic() + 30
    while time.monotonic() < until_s:
        if keeper is not None:
            keeper.look(time.monotonic_ns(), healthy=not (directory / "sick").exists())
        now_ns = clock.now_ns()
        watch.look(heard.append, now_ns)
        if speaks and (keeper is None or keeper.is_ready):
            gateway.tick(now_ns)
        gateway.due(now_ns)
        if gateway.is_up and now_ns >= next_ns and counter < given.most:
            next_ns = now_ns + given.pace_ms * MS
            counter += 1
            wanted = intent(price_ticks=FAR_TICKS + counter, qty_lots=1_000)
            approved = RiskApproved(wanted, client_order_id(given.number, counter), POLICY)
            gateway.submit(SubmitOrder(approved, now_ns), now_ns)
        await asyncio.sleep(PAUSE_S)


def _keeper(given: HostSettings, directory: Path) -> GuardKeeper:
    params = GuardParams(
        session=directory.name,
        symbols=("BTCUSDT",),
        acts=True,
        venue=given.venue,
        rest_url=given.rest_url,
        key_path=given.keys,
        id_prefix=client_order_id(given.number, 0)[:4],
        recv_window_ms=given.recv_window_ms,
        settings=given.settings,
    )
    return GuardKeeper(params, directory, int(PAUSE_S * 1e9))


if __name__ == "__main__":
    asyncio.run(host(msgspec.convert(json.loads(sys.stdin.readline()), HostSettings)))

"""The simulated venue as a process, and a client of it over real sockets."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from pipeline.wire.binance_signing import signed_params

ROOT = Path(__file__).resolve().parents[2]
SERVER = ("-P", "-m", "pipeline.sim.server_main")


class SimProcess:
    """A running venue; `at` is what it said about itself."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("{"), (line, process.stderr.read() if process.stderr else "")
        self.at: dict[str, Any] = json.loads(line)

    def stop(self) -> tuple[int, dict[str, Any]]:
        """Press Ctrl+C; give the exit status and what the ledger says."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=10)
        return self.process.returncode, json.loads(out.strip().splitlines()[-1])


def popen(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def sim_process(*arguments: str) -> Iterator[SimProcess]:
    """Run the venue; it ends by itself after a minute whatever happens."""
    process = popen(*SERVER, "--json", "--seconds", "60", *arguments)
    try:
        yield SimProcess(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def capture_process(*captures: Path, faults: Sequence[str] = (), **options: str) -> Iterator[SimProcess]:
    """Run `lobdeck sim --replay` on captures with faults; options as `speed="10"`."""
    given = [argument for name, value in options.items() for argument in (f"--{name}", value)]
    given += [argument for fault in faults for argument in ("--fault", fault)]
    given += [argument for path in captures for argument in ("--replay", str(path))]
    process = popen("-m", "app", "sim", "--json", "--port", "0", "--seconds", "90", *given)
    try:
        yield SimProcess(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class ApiClient:
    """Signed requests and user events over one WebSocket-API connection."""

    def __init__(self, socket: ClientConnection, at: dict[str, Any]) -> None:
        self._socket = socket
        self._at = at
        self._count = 0
        self.events: list[dict[str, Any]] = []

    async def ask(self, method: str, *, wait_s: float = 5.0, **params: Any) -> dict[str, Any]:
        """Send a request; give its answer, {} when none comes in time; events that come are kept."""
        self._count += 1
        request = {"id": self._count, "method": method, "params": params}
        await self._socket.send(json.dumps(request))
        until_s = time.monotonic() + wait_s
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                message = json.loads(await asyncio.wait_for(self._socket.recv(), left_s))
            except TimeoutError:
                break
            if message.get("id") == self._count:
                found: dict[str, Any] = message
                return found
            self.events.append(message["event"])
        return {}

    async def signed(self, method: str, *, wait_s: float = 5.0, **params: Any) -> dict[str, Any]:
        """Send a signed request; `secret` and `timestamp` may be given to be wrong."""
        secret = params.pop("secret", self._at["secret"])
        whole = {
            "apiKey": self._at["api_key"],
            "timestamp": time.time_ns() // 1_000_000,
            "recvWindow": 5_000,
            **params,
        }
        return await self.ask(method, wait_s=wait_s, **signed_params(secret, whole))

    async def limit(self, side: str, price: str, quantity: str, **params: Any) -> dict[str, Any]:
        """Place a limit order, GTC unless told otherwise."""
        how = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC", **params}
        return await self.signed("order.place", price=price, quantity=quantity, **how)

    async def touch(self) -> tuple[str, str]:
        """Best bid and ask."""
        book = (await self.ask("depth", symbol="BTCUSDT", limit=1))["result"]
        return book["bids"][0][0], book["asks"][0][0]

    async def listen(self, seconds: float) -> None:
        """Take events for a while."""
        await self.ask("no.such.method", wait_s=0.0)
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                message = json.loads(await asyncio.wait_for(self._socket.recv(), left_s))
            except TimeoutError:
                return
            if "event" in message:
                self.events.append(message["event"])


def api(at: dict[str, Any]) -> connect:
    """Open a WebSocket-API connection."""
    return connect(at["api_url"])


def streams(at: dict[str, Any], *names: str, **how: Any) -> connect:
    """Open a combined stream of BTCUSDT."""
    asked = "/".join(f"btcusdt@{name}" for name in names or ("depth@100ms", "bookTicker", "trade"))
    return connect(f"{at['stream_url']}?streams={asked}", **how)

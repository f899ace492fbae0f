"""Live sessions for process tests: the real command on a feed server, and the proof from its journal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from pipeline.core.effects import Effect
from pipeline.core.engine import Engine
from pipeline.core.inputs import FeedStatusChanged, Input, WorkerCounters
from pipeline.core.params import EngineParams
from pipeline.core.types import BookState
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.wire.venues import codec_for
from tests.fakes.feed_market import FeedMarket
from tests.fakes.feed_server import FeedServer
from tests.fakes.sessions import ROOT

FAST = {
    "LOBDECK_FEED__RECONNECT_FIRST_MS": "100",
    "LOBDECK_FEED__RECONNECT_MAX_MS": "400",
    "LOBDECK_FEED__RECONNECTS": "300",
}
"""A feed as patient as shipped would make every test wait."""


@dataclass(eq=False)
class LiveSession:
    """One `lobdeck run` or `record` in a process of its own."""

    home: Path
    name: str
    process: asyncio.subprocess.Process
    summary_path: Path

    @property
    def journal(self) -> Path:
        return self.home / "sessions" / self.name / "journal"

    def workers(self) -> list[psutil.Process]:
        """Give the inference processes, oldest first."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if any("worker_main" in part for part in child.cmdline())]

    async def stop(self) -> dict[str, Any]:
        """Ask the session to end and give its summary; a failed one fails the test with its words."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        return await self.ended()

    async def ended(self) -> dict[str, Any]:
        """Wait for the end and give the summary."""
        async with asyncio.timeout(30):
            _, errors = await self.process.communicate()
        assert self.process.returncode == 0, errors.decode()
        content: dict[str, Any] = json.loads(self.summary_path.read_text())
        return content


async def start_session(
    home: Path,
    server: FeedServer,
    *options: str,
    command: str = "run",
    venue: str = "binance",
    name: str = "live",
    settings: Mapping[str, str] | None = None,
) -> LiveSession:
    """Start a session on every symbol of the server; come back when it is connected."""
    summary = home / f"{name}.json"
    given = [*options, "--summary", str(summary), *(("--headless",) if command == "run" else ())]
    symbols = ",".join(server.markets)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", command, "--venue", venue, "--symbol", symbols),
        *("--base-url", server.url, "--name", name, *given),
        cwd=ROOT,
        env={**os.environ, "LOBDECK_HOME": str(home), **FAST, **(settings or {})},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    session = LiveSession(home, name, process, summary)
    try:
        await server.wait_for_clients(1 if venue == "binance" else 2)
    except TimeoutError:
        process.kill()
        raise AssertionError((await process.communicate())[1].decode()) from None
    return session


@dataclass
class Proof:
    """What a journal shows of the books a session believed in."""

    compared: dict[str, int] = field(default_factory=dict)
    """Books compared with the truth, by symbol."""
    states: set[str] = field(default_factory=set)
    statuses: list[FeedStatusChanged] = field(default_factory=list)
    longest_queue: int = 0
    run: JournalRun | None = None


class CheckedEngine(Engine):
    """An engine that compares every book it believes with the venue's truth, after every input."""

    def __init__(self, params: EngineParams, markets: Mapping[str, FeedMarket], proof: Proof) -> None:
        super().__init__(params)
        self._markets = markets
        self._proof = proof
        self._compared: dict[str, tuple[int, BookState]] = {}

    def handle(self, event: Input) -> list[Effect]:
        effects = super().handle(event)
        if isinstance(event, FeedStatusChanged):
            self._proof.statuses.append(event)
        if isinstance(event, WorkerCounters):
            queues = [worker.queue_depth for worker in event.workers]
            self._proof.longest_queue = max([self._proof.longest_queue, *queues])
        for symbol in self.symbols:
            self._compare(symbol)
        return effects

    def _compare(self, symbol: str) -> None:
        synced = self.synced_book(symbol)
        assert synced is not None
        now = synced.last_update_id, synced.state
        self._proof.states.add(synced.state.value)
        if self._compared.get(symbol) == now or not synced.is_synced:
            return
        self._compared[symbol] = now
        truth = self._markets[symbol].truth.get(synced.last_update_id)
        assert truth is not None, f"{symbol} is SYNCED at {synced.last_update_id}, where no update ends"
        levels = len(synced.book.bid_prices) + len(synced.book.ask_prices)
        assert tuple(synced.book.top(levels)) == truth, f"{symbol} is wrong at {synced.last_update_id}"
        self._proof.compared[symbol] = self._proof.compared.get(symbol, 0) + 1


def prove(journal: Path, markets: Sequence[FeedMarket]) -> Proof:
    """Replay a journal, comparing every believed book with the truth after every input."""
    header, records = read_journal(journal)
    proof = Proof()
    by_symbol = {market.symbol: market for market in markets}
    engine = CheckedEngine(header.params, by_symbol, proof)
    instruments = {one.symbol: one for one in header.params.instruments}
    codec = codec_for(header.codecs[0], instruments)
    proof.run = JournalRun(engine, codec, records, header.sources)
    while not proof.run.ended:
        proof.run.advance(None, 60.0)
    return proof

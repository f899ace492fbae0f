"""The whole demo in one process and in virtual time: exchange, feed, engine, model, signed orders.

The parts are the real ones, but for sockets, workers and clocks. Nothing is random but by the seed, so that
a seed gives the same session every time.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from app.demo_command import DemoOptions, build_demo
from pipeline.core.effects import RequestInference
from pipeline.core.engine import Engine
from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import Command, LinkChanged, OperatorCommand, PredictionReceived
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.view import build_snapshot
from pipeline.models.expectation import Expectation
from pipeline.models.loader import load_model
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.live_run import LiveRun
from pipeline.runtime.venue_gateway import VenueGateway
from pipeline.runtime.venue_params import VenueParams
from pipeline.sim.opening import account_summary, open_live
from pipeline.sim.protocol.rest import HttpRequest
from pipeline.sim.serving import sim_options
from pipeline.wire.binance_requests import ApiKey
from pipeline.wire.venues import codec_for
from tests.fakes.engines import FakeGate
from tests.fakes.scripted_trader import ScriptedTrader
from tests.fakes.venue import T0

SECOND = 1_000_000_000
BEAT_NS = 10_000_000
FRAME_BEATS = 10
"""Beats to a picture."""
JOINS_NS = SECOND
"""How long after the exchange opened the session is there."""
SYMBOL = "BTCUSDT"
STREAMS = "streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade"


class _Inbox:
    """A client's end of a connection in memory: keeps what was sent."""

    heard_ns = 1 << 62

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()

    def send(self, frame: bytes) -> None:
        self.frames.append(frame)

    def close(self, *_: object) -> None:
        raise AssertionError("nobody hangs up here")

    abort = ping = close


class _Socket:
    """What the gateway sends through."""

    heard_ns = 1 << 62

    def __init__(self, demo: VirtualDemo) -> None:
        self._demo = demo

    def send(self, frame: bytes) -> None:
        self._demo.venue.receive(self._demo.api, frame, self._demo.now_ns)


class _Pool:
    """The model, answering at the next beat."""

    def __init__(self, path: Path) -> None:
        self._model = load_model(path, Expectation())
        self._rows: list[RequestInference] = []

    def submit(self, row: RequestInference) -> None:
        self._rows.append(row)

    def poll(self, now_ns: int) -> list[PredictionReceived]:
        rows, self._rows = self._rows, []
        return [self._answer(row, now_ns) for row in rows]

    def _answer(self, row: RequestInference, now_ns: int) -> PredictionReceived:
        p_down, p_flat, p_up = self._model.predict_into([value / 1e6 for value in row.row_e6])
        return PredictionReceived(
            symbol=row.symbol,
            model_id=row.model_id,
            generation=row.generation,
            schema_hash=row.schema_hash,
            feature_seq=row.feature_seq,
            p_down=p_down,
            p_flat=p_flat,
            p_up=p_up,
            horizon_ms=self._model.contract.horizon_ms,
            started_ns=now_ns,
            finished_ns=now_ns,
            worker_id=0,
            epoch=row.epoch,
            ts_ns=now_ns,
        )


class VirtualDemo:
    """`lobdeck demo --seed N` with a trader before it; LOBDECK_HOME says where its name is kept."""

    def __init__(self, seed: int, **options: Any) -> None:
        spec, _ = build_demo(DemoOptions(seed=seed, headless=True, **options))
        assert spec.sim is not None
        sim = sim_options(
            seed=seed,
            symbols=spec.symbols,
            pace=spec.sim.pace,
            informed=None,
            fees=spec.sim.fees,
            faults=(),
            lifetime_s=86_400,
        )
        self.now_ns = T0
        self.venue = open_live(sim, T0)
        self.lives_ns: list[int] = []
        """How long each idea lasted, from the decision that entered its side to the one that left it."""
        self._step_to(T0 + JOINS_NS)
        self.first_frame_ns = self.now_ns
        instruments = {one.symbol: one for one in spec.params.instruments}
        clock = SessionClock(lambda: self.now_ns, lambda: self.now_ns)
        key, secret = sim.credentials
        orders = VenueParams("ws://sim/ws-api/v3", "", "sim", earlier_ms=0)
        self._gateway = VenueGateway(
            orders, instruments, ApiKey(key, secret), 1, FakeGate(), clock, chance=lambda: 0.5
        )
        self.run = LiveRun(
            Engine(msgspec.structs.replace(spec.params, session_number=1)),
            codec_for(spec.venue, instruments),
            self._gateway,
            _Pool(Path(spec.model_path)),
            None,
            spec.sources,
            clock,
        )
        self._gateway.on_reports = self.run.venue_reported
        self.run.want_snapshot = self._snapshot
        self._books: deque[tuple[bytes, int]] = deque()
        self._market, self._answers = _Inbox(), _Inbox()
        self.venue.open(self._market, "/stream", STREAMS, self.now_ns)
        session = self.venue.open(self._answers, "/ws-api/v3", "", self.now_ns)
        assert session is not None
        self.api = session
        self._gateway.on_open(_Socket(self))  # type: ignore[arg-type]  # what it sends through
        self.run.put(LinkChanged(1, self.run.now_ns))
        self._held = (0, 0)
        self._beats = 0

    @property
    def engine(self) -> Engine:
        return self.run.engine

    def play(self, seconds: float, trader: ScriptedTrader) -> VirtualDemo:
        """Go on, with a trader who looks ten times a second."""
        until_ns = self.now_ns + int(seconds * SECOND)
        while self.now_ns < until_ns:
            self._turn()
            self._beats += 1
            if self._beats % FRAME_BEATS == 0:
                press = trader.look(self.picture())
                if press is not None:
                    self._permit(*press)
        return self

    def picture(self) -> ConsoleSnapshot:
        facts = RuntimeFacts(session="virtual", operator="ada", consoles=1, planted=True)
        return build_snapshot(self.engine, SYMBOL, self._beats, self.run.now_ns, facts)

    def ledger(self) -> dict[str, Any]:
        """What the exchange says of us."""
        found: dict[str, Any] = account_summary(self.venue.market.exchange, (SYMBOL,))["symbols"]  # type: ignore[assignment]
        content: dict[str, Any] = found[SYMBOL]
        return content

    def _turn(self) -> None:
        self._step_to(self.now_ns + BEAT_NS)
        self._deliver()
        self.run.beat(0)
        self.run.collect_answers()
        self._gateway.tick(self.now_ns)
        self._deliver()
        self._note_life()

    def _step_to(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.venue.advance(now_ns)

    def _deliver(self) -> None:
        while self._market.frames or self._answers.frames or self._books:
            while self._books:
                body, epoch = self._books.popleft()
                self.run.frame(body, self.run.now_ns, epoch, 1)
            while self._market.frames:
                self.run.frame(self._market.frames.popleft(), self.run.now_ns, 1)
            while self._answers.frames:
                self._gateway.on_message(self._answers.frames.popleft(), self.run.now_ns, 0)

    def _snapshot(self, symbol: str, epoch: int) -> None:
        answer = self.venue.http(
            HttpRequest("GET", "/api/v3/depth", f"symbol={symbol}&limit=1000"), self.now_ns
        )
        assert answer is not None
        self._books.append((answer.body, epoch))

    def _permit(self, idea_id: int, revision: int) -> None:
        self.run.put(
            OperatorCommand(
                command=Command.PERMIT_ONCE,
                who="ada",
                tty="/dev/pts/9",
                symbol=SYMBOL,
                target_id=idea_id,
                revision=revision,
                ts_ns=self.run.now_ns,
            )
        )

    def _note_life(self) -> None:
        decision = self.engine.state.desks[SYMBOL].decision
        held = 0 if decision is None or decision.held_side is None else int(decision.held_side)
        before, since_ns = self._held
        if held != before:
            if before:
                self.lives_ns.append(self.now_ns - since_ns)
            self._held = (held, self.now_ns)

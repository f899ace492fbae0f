"""How the engine's memory grows with frames and with symbols: in a process of its own, without workers.

The capture is played over and over as if the connection were lost and found again each time: receive times
go on, every pass has its own epoch. A model that answers at once keeps decisions, orders and the paper venue
at work. `python -m app.bench_memory` is that process; `measure` starts it and reads its samples.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil

from app.bench_replay import RATE_BUDGET, bench_session
from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan, top_functions
from app.launch import child_environment
from pipeline.core.effects import RequestInference, RequestSnapshot
from pipeline.core.engine import Engine
from pipeline.core.inputs import PredictionReceived, TimerBeat
from pipeline.core.params import EngineParams
from pipeline.core.types import E6
from pipeline.runtime.capture import open_capture
from pipeline.runtime.engine_run import EngineRun
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.session import collector_tamed
from pipeline.runtime.spec import SessionSpec, read_spec, write_spec
from pipeline.sim.paper import PaperVenue
from pipeline.wire.venues import codec_for

GROWTH_BUDGET_MB = Budget(4.0)
SYMBOL_BUDGET_MB = Budget(4.0)
SYMBOLS = 5
BEAT_NS = 10_000_000
PAUSE_NS = 1_000_000_000
"""Between two passes over the capture."""
CHILD_S = 1_800.0
PROFILED_FRAMES = (40_000, 4_000)

Frame = tuple[int, bytes]
"""Receive time in ns and payload."""


def measure(plan: Plan) -> list[Row]:
    """Measure growth between two numbers of frames, and what each further symbol costs."""
    spec = bench_session(plan)
    path = plan.home / "memory-spec"
    write_spec(spec, path)
    early, step = plan.of(40_000, 5_000), plan.of(1_000_000, 8_000)
    first, last = step, 5 * step
    # Both at once: memory is measured, not time.
    one = _child(path, 1, (early, *range(first, last + 1, step)))
    many = _child(path, SYMBOLS, (early * SYMBOLS,))
    alone, together = _samples(one), _samples(many)
    growth = alone[last]["rss_mb"] - alone[first]["rss_mb"]
    each = (together[early * SYMBOLS]["rss_mb"] - alone[early]["rss_mb"]) / (SYMBOLS - 1)
    busy = f"{alone[last]['orders']:,.0f} orders, {alone[last]['fills']:,.0f} fills on the way"
    short = " (the budget's is 1 M to 5 M)" if plan.quick else ""
    span = f"from frame {first:,} to {last:,}{short}; {busy}"
    rss = f"{SYMBOLS} symbols, {early:,} frames each: {together[early * SYMBOLS]['rss_mb']:.0f} MB"
    course = ", ".join(f"{at:,}: {sample['rss_mb']:.1f} MB" for at, sample in alone.items())
    return [
        _row("engine memory, growth", growth, GROWTH_BUDGET_MB, span, course),
        _row("engine memory, each additional symbol", each, SYMBOL_BUDGET_MB, rss, course),
        _rate_row(plan, spec, (last - first) / (alone[last]["cpu_s"] - alone[first]["cpu_s"])),
    ]


def _rate_row(plan: Plan, spec: SessionSpec, rate: float) -> Row:
    profile = ""
    if rate < RATE_BUDGET.limit:
        profile = top_functions(lambda: play(spec, 1, [plan.of(*PROFILED_FRAMES)]))
    what = "whole engine with a model that answers at once, one core"
    return Row(what, "frames/s", rate, RATE_BUDGET, "decisions, orders, paper venue; processor time", profile)


def _row(what: str, value_mb: float, budget: Budget, note: str, course: str) -> Row:
    profile = f"resident memory with one symbol, by frame: {course}" if value_mb > budget.limit else ""
    return Row(what, "MB", value_mb, budget, note, profile)


def _child(spec: Path, symbols: int, at: Sequence[int]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "app.bench_memory", str(spec), str(symbols), *map(str, at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment())


def _samples(child: subprocess.Popen[bytes]) -> dict[int, dict[str, float]]:
    try:
        out, said = child.communicate(timeout=CHILD_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise BenchError(f"the engine did not come to its frames within {CHILD_S:.0f} s") from None
    if child.returncode:
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise BenchError(f"the engine's process ended with status {child.returncode}: {last}")
    return {int(at): sample for at, sample in json.loads(out).items()}


class EndlessRun(EngineRun):
    """An engine that is fed frames for ever; answers come at the next beat."""

    def __init__(self, params: EngineParams, venue: str) -> None:
        paper = PaperVenue(
            params.instruments,
            ack_latency_ns=BEAT_NS,
            cancel_latency_ns=BEAT_NS,
            home_base_e8=params.home_base_e8,
            balance_quote_e8=params.balance_quote_e8,
        )
        codec = codec_for(venue, {one.symbol: one for one in params.instruments})
        symbols = [one.symbol for one in params.instruments]
        super().__init__(Engine(params), codec, PaperGateway(paper, None), None, symbols, None)
        self._now_ns = 0
        self._beat_ns = 0
        self._asked: list[RequestInference] = []

    @property
    def now_ns(self) -> int:
        """Give the virtual time."""
        return self._now_ns

    def take(self, frame: Frame, epoch: int, source: int) -> None:
        """Handle one frame, after everything that is due before it."""
        at_ns, payload = frame
        self._beat_ns = max(self._beat_ns, at_ns - PAUSE_NS)
        while self._beat_ns < at_ns:
            self._beat_ns += BEAT_NS
            self._beat(self._beat_ns)
        self._now_ns = max(self._now_ns, at_ns)
        self.pump.frame(payload, at_ns, epoch, source)

    def _beat(self, at_ns: int) -> None:
        self._now_ns = max(self._now_ns, at_ns)
        for report in self.gateway.due(at_ns):
            self.put(report)
        asked, self._asked = self._asked, []
        for row in asked:
            self.put(_answer(row, at_ns))
        self.put(TimerBeat(at_ns))

    def _ask(self, row: RequestInference) -> None:
        self._asked.append(row)

    def _fetch(self, wanted: RequestSnapshot) -> None:
        """Fetch nothing: every pass brings the snapshot of the capture."""


def _answer(row: RequestInference, at_ns: int) -> PredictionReceived:
    """Answer by the first feature alone, which for the bundled models is the imbalance of the touch."""
    p_up = min(max(0.5 + 0.45 * row.row_e6[0] / E6, 0.01), 0.99)
    return PredictionReceived(
        symbol=row.symbol,
        model_id=row.model_id,
        generation=row.generation,
        schema_hash=row.schema_hash,
        feature_seq=row.feature_seq,
        p_down=1.0 - p_up,
        p_flat=0.0,
        p_up=p_up,
        horizon_ms=1_000,
        started_ns=row.ts_ns,
        finished_ns=at_ns,
        worker_id=0,
        epoch=row.epoch,
        ts_ns=at_ns,
    )


def with_symbols(params: EngineParams, count: int) -> EngineParams:
    """Give the parameters of a session on this many symbols, all like the first."""
    first = params.instruments[0]
    copies = tuple(replace(first, symbol=f"{first.symbol}{n or ''}") for n in range(count))
    limits = {one.symbol: params.limits[first.symbol] for one in copies}
    return msgspec.structs.replace(params, instruments=copies, limits=limits)


def endless(frames: Sequence[Frame]) -> Iterator[tuple[int, Frame]]:
    """Give the frames for ever, each pass with its number and later than the one before."""
    length_ns = frames[-1][0] - frames[0][0] + PAUSE_NS
    for epoch in itertools.count():
        for ts_ns, payload in frames:
            yield epoch, (ts_ns + epoch * length_ns, payload)


def play(spec: SessionSpec, symbols: int, at: Sequence[int]) -> dict[int, dict[str, float]]:
    """Play frames until the last of `at`; give memory and counters at each of them."""
    params = with_symbols(spec.params, symbols)
    run = EndlessRun(params, spec.venue)
    frames = [
        (frame.ts_recv_ns, frame.payload) for frame in open_capture([Path(one) for one in spec.captures])
    ]
    names = [one.symbol.encode() for one in params.instruments]
    process, samples = psutil.Process(), {}
    with collector_tamed():
        for epoch, (at_ns, payload) in endless(frames):
            for source, name in enumerate(names):
                own = payload.replace(b'"%b"' % names[0], b'"%b"' % name) if source else payload
                run.take((at_ns, own), epoch, source)
                if run.pump.frames in at:
                    taken = {"rss_mb": process.memory_info().rss / 1e6, "cpu_s": time.process_time()}
                    samples[run.pump.frames] = {**taken, **_counts(run)}
            if len(samples) == len(at):
                return samples
    raise AssertionError("an endless stream has ended")


def _counts(run: EndlessRun) -> dict[str, float]:
    counts = run.engine.counts()
    return {name: counts[name] for name in ("decisions", "orders", "fills", "resyncs", "gaps", "wire_errors")}


def main() -> None:
    """Be the process that is measured: SPEC SYMBOLS FRAMES... on the command line, samples as JSON out."""
    spec, symbols, *at = sys.argv[1:]
    samples = play(read_spec(Path(spec)), int(symbols), [int(one) for one in at])
    sys.stdout.write(json.dumps(samples))


if __name__ == "__main__":
    main()

"""How fast a capture goes through the whole engine: read, decode, book, features, decisions, paper venue."""

from __future__ import annotations

import math
import statistics
import time

from msgspec.structs import replace

from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan, top_functions
from app.replay_command import ReplayOptions, build_session
from pipeline.core.engine import Engine
from pipeline.runtime.capture import open_capture
from pipeline.runtime.capture_run import CaptureRun, Progress
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.places import session_place
from pipeline.runtime.session import collector_tamed, open_pool
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.workers import WorkerPool
from pipeline.sim.paper import PaperVenue
from pipeline.wire.venues import codec_for

RATE_BUDGET = Budget(20_000, at_least=True)
MODEL_FRAMES = 20_000
"""Frames of a run with a model: each of its rows waits for a worker."""
START_S = 30.0
TICK_S = 0.01


def bench_session(plan: Plan) -> SessionSpec:
    """Give the spec of a session that trades by itself without fees, so that every part has work."""
    settings = plan.home / "config.toml"
    settings.touch()
    options = ReplayOptions(
        paths=plan.captures[:1], prefix="bench", authority="auto", fees="0/0", config=settings, workers=1
    )
    return build_session(options)[0]


def capture_run(spec: SessionSpec, plan: Plan, pool: WorkerPool | None) -> CaptureRun:
    """Give a run over the first capture; without a pool the engine has no model."""
    params = spec.params if pool is not None else replace(spec.params, model=None)
    venue = PaperVenue(
        params.instruments,
        ack_latency_ns=spec.ack_latency_ns,
        cancel_latency_ns=spec.cancel_latency_ns,
        home_base_e8=params.home_base_e8,
        balance_quote_e8=params.balance_quote_e8,
    )
    return CaptureRun(
        engine=Engine(params),
        codec=codec_for(spec.venue, {one.symbol: one for one in params.instruments}),
        frames=open_capture(plan.captures[:1]),
        gateway=PaperGateway(venue, None),
        pool=pool,
        journal=None,
        inference_latency_ns=spec.inference_latency_ns,
        sources=spec.symbols,
    )


def measure(plan: Plan) -> list[Row]:
    """Measure frames a second of one core without a model, and by the clock with one in lock-step."""
    spec = bench_session(plan)
    alone: list[float] = []
    with_model: list[float] = []
    orders = 0
    pool = open_pool(spec, session_place(spec.name).root)
    assert pool is not None
    try:
        if not pool.wait_ready(START_S):
            raise BenchError(f"the worker did not start: {pool.gave_up or f'{START_S:.0f} s'}")
        with collector_tamed():
            for _ in range(plan.of(3, 1)):
                alone.append(rate_alone(spec, plan))
                rate, orders = _rate_with_model(spec, plan, pool)
                with_model.append(rate)
    finally:
        pool.close(0)
    rate = statistics.median(alone)
    profile = "" if rate >= RATE_BUDGET.limit else top_functions(lambda: rate_alone(spec, plan))
    what = "replay --speed max, whole engine, one core"
    note = f"without a model, processor time; {plan.source}"
    lockstep = f"one worker, by the clock; {orders} orders to the paper venue"
    return [
        Row(what, "frames/s", rate, RATE_BUDGET, note, profile),
        Row("the same with a model in lock-step", "frames/s", statistics.median(with_model), note=lockstep),
    ]


def rate_alone(spec: SessionSpec, plan: Plan) -> float:
    """Play the first capture once without a model; frames a second of processor time."""
    run = capture_run(spec, plan, None)
    started_ns = time.thread_time_ns()
    if run.advance(None, math.inf) is not Progress.ENDED:
        raise BenchError("the replay stopped before its end")
    return run.frames_done / (time.thread_time_ns() - started_ns) * 1e9


def _rate_with_model(spec: SessionSpec, plan: Plan, pool: WorkerPool) -> tuple[float, int]:
    """Give frames a second by the clock, and how many orders were sent."""
    run = capture_run(spec, plan, pool)
    started_s = next_tick_s = time.perf_counter()
    most = plan.of(MODEL_FRAMES, MODEL_FRAMES // 2)
    while run.frames_done < most:
        if run.advance(None, TICK_S, most - run.frames_done) is Progress.ENDED:
            break
        now_s = time.perf_counter()
        if now_s >= next_tick_s:
            next_tick_s = now_s + TICK_S
            pool.tick(run.now_ns)
        pool.wait_any(TICK_S)
    return run.frames_done / (time.perf_counter() - started_s), run.gateway.sent

"""A feature row to its probability: through our workers, and through multiprocessing.Queue in the same run.

Rows come 1 ms apart, the arrival pattern of a live session; the two sides take turns in short spells.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.bench_models import write_trees, write_wide
from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan, percentile
from app.replay_command import bundled_model
from pipeline.core.effects import RequestInference
from pipeline.core.inputs import PredictionReceived
from pipeline.core.params import ModelSpec
from pipeline.core.types import E6, Trigger
from pipeline.models.expectation import Expectation, Role
from pipeline.models.inspection import inspect_model, model_spec
from pipeline.models.loader import load_model
from pipeline.research.parity import MissingExtra
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.workers import WorkerPool

P50_BUDGET_US = Budget(120.0)
P99_BUDGET_US = Budget(400.0)
QUEUE_BUDGET = Budget(3.0, at_least=True)
LOGISTIC_BUDGET_US = Budget(15.0)
TREES_BUDGET_US = Budget(40.0)

GAP_S = 0.001
SPELL_ROWS = 200
START_S = 30.0
ANSWER_S = 5.0

Hops = tuple[float, float, float]
"""Microseconds of one row: there, inside the worker, and back."""
Ask = Callable[[int], Hops]
"""Asks one row and comes back with its answer."""


def measure(plan: Plan) -> list[Row]:
    """Measure the round trip of a row through a worker, and beside it through a queue."""
    model = bundled_model("ob-logit")
    inspected = inspect_model(model, Expectation())
    spec = model_spec(inspected.contract, inspected.model_id)
    theirs: list[float] = []
    hops: list[Hops] = []
    with _pool(model, spec) as ask_pool, _queue(model, spec) as ask_queue:
        for turn in range(plan.of(10, 4)):
            hops += _spell(ask_pool, turn * SPELL_ROWS)
            theirs += [sum(one) for one in _spell(ask_queue, turn * SPELL_ROWS)]
    ours = [sum(one) for one in hops]
    p50, p99 = statistics.median(ours), percentile(ours, 0.99)
    note = f"{len(ours)} rows 1 ms apart, {spec.name}"
    queue = f"queue p50 {statistics.median(theirs):.0f} us, p99 {percentile(theirs, 0.99):.0f} us"
    ratio = statistics.median(theirs) / p50
    inside = statistics.median(one[1] for one in hops)
    slow = "" if ratio >= QUEUE_BUDGET.limit else _hops_text(hops)
    return [
        _row("row -> probability through a worker, p50", p50, P50_BUDGET_US, note, hops),
        _row("row -> probability through a worker, p99", p99, P99_BUDGET_US, note, hops),
        Row("multiprocessing.Queue / worker, p50", "x", ratio, QUEUE_BUDGET, queue, slow),
        Row("inside the worker, p50", "us", inside, note="ONNX Runtime called cold: 1 ms after the last row"),
        _inside("logistic of 26 features", write_wide, LOGISTIC_BUDGET_US, plan),
        _inside("300 trees of 31 leaves", write_trees, TREES_BUDGET_US, plan),
    ]


def _inside(what: str, write: Callable[[Path], Path], budget: Budget, plan: Plan) -> Row:
    """Measure the time of a model's call in the worker: rows one after the other, and 1 ms apart."""
    name = f"inside the worker, {what}, row by row, p50"
    try:
        path = write(plan.home)
    except MissingExtra as problem:
        return Row(name, "us", None, budget, f"not installed: {problem}")
    inspected = inspect_model(path, Expectation(role=Role.SHADOW))
    with _pool(path, model_spec(inspected.contract, inspected.model_id)) as ask:
        rows = plan.of(3_000, 600)
        hot = [ask(seq)[1] for seq in range(rows)][rows // 10 :]
        cold = [one[1] for one in _spell(ask, rows)]
    note = f"1 ms apart {statistics.median(cold):.0f} us; p99 {percentile(hot, 0.99):.0f} us"
    inside_us = statistics.median(hot)
    slow = "" if inside_us <= budget.limit else f"one call into ONNX Runtime, row by row; {note}"
    return Row(name, "us", inside_us, budget, note, slow)


def _row(what: str, value_us: float, budget: Budget, note: str, hops: list[Hops]) -> Row:
    profile = "" if value_us <= budget.limit else _hops_text(hops)
    return Row(what, "us", value_us, budget, note, profile)


def _hops_text(hops: list[Hops]) -> str:
    there, inside, back = (statistics.median(one) for one in zip(*hops, strict=True))
    return f"medians: to the worker {there:.0f} us, inside it {inside:.0f} us, back {back:.0f} us"


@contextlib.contextmanager
def _pool(model: Path, spec: ModelSpec) -> Iterator[Ask]:
    params = PoolParams(workers=1, spares=0, deadline_ns=int(ANSWER_S * 1e9))
    pool = WorkerPool(model, spec, Expectation(role=Role.SHADOW), params)
    pool.start()

    def ask(seq: int) -> Hops:
        started_ns = time.monotonic_ns()
        pool.submit(request(spec, seq))
        while not (ended := pool.poll(time.monotonic_ns())):
            pool.wait_any(1.0)
        ended_ns, answer = time.monotonic_ns(), ended[0]
        if not isinstance(answer, PredictionReceived):
            raise BenchError(f"a row ended without an answer: {answer.cause}")
        stamps = (started_ns, answer.started_ns, answer.finished_ns, ended_ns)
        there, inside, back = ((late - soon) / 1e3 for soon, late in itertools.pairwise(stamps))
        return there, inside, back

    try:
        if not pool.wait_ready(START_S):
            raise BenchError(f"the worker did not start: {pool.gave_up or f'{START_S:.0f} s'}")
        yield ask
    finally:
        pool.close(0)


@contextlib.contextmanager
def _queue(model: Path, spec: ModelSpec) -> Iterator[Ask]:
    context = multiprocessing.get_context("spawn")
    rows, answers = context.Queue(), context.Queue()
    process = context.Process(target=answer_from_queue, args=(str(model), rows, answers), daemon=True)
    process.start()

    def ask(seq: int) -> Hops:
        started_ns = time.monotonic_ns()
        rows.put([value / E6 for value in request(spec, seq).row_e6])
        answers.get(timeout=ANSWER_S)
        return (time.monotonic_ns() - started_ns) / 1e3, 0.0, 0.0

    try:
        answers.get(timeout=START_S)
        yield ask
        rows.put(None)
        process.join(ANSWER_S)
    finally:
        process.kill()
        process.join()
        for queue in (rows, answers):
            queue.cancel_join_thread()
            queue.close()


def answer_from_queue(path: str, rows: Any, answers: Any) -> None:
    """Be the other process of the usual way: pickled rows in, pickled answers out, None ends it."""
    model = load_model(Path(path), Expectation())
    answers.put("ready")
    while (row := rows.get()) is not None:
        answers.put(model.predict_into(row))


def request(spec: ModelSpec, seq: int) -> RequestInference:
    """Make a row for a model, another one for each number."""
    row = tuple((seq * 7_919 + at * 104_729) % 2_000_001 - 1_000_000 for at in range(spec.width))
    return RequestInference(
        symbol="BTCUSDT",
        feature_seq=seq,
        epoch=1,
        trigger=Trigger.GRID,
        row_e6=row,
        model_id=spec.model_id,
        generation=spec.generation,
        schema_hash=spec.schema_hash,
        ts_ns=0,
        newest_recv_ns=0,
    )


def _spell(ask: Ask, first: int) -> list[Hops]:
    """Ask rows 1 ms apart."""
    hops = []
    for seq in range(first, first + SPELL_ROWS):
        time.sleep(GAP_S)
        hops.append(ask(seq))
    return hops

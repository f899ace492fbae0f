"""Row to probability through a worker, beside the same model behind `multiprocessing.Queue`, in one run.

Rows 1 ms apart, the arrival pattern of a live session; both sides take turns in short spells, so that what
else the machine does meets both alike. Run with: pytest tests/benchmarks/test_worker_round_trip.py -s
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.effects import RequestInference
from pipeline.core.inputs import PredictionReceived
from pipeline.core.types import E6
from pipeline.models.expectation import Expectation
from pipeline.models.loader import load_model
from pipeline.research.fit_bundled import FOLDER
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.workers import WorkerPool
from tests.fakes.models import request as row
from tests.fakes.models import spec_for

Ask = Callable[[RequestInference], None]

MODEL = FOLDER / "ob-logit.onnx"
SPEC = spec_for(MODEL)
SPELLS = 6
ROWS = 250
GAP_S = 0.001
GOAL = 3.0
FLOOR = 1.6
"""What a busy machine of two processors must still show; a cold call of the model costs both alike."""


def answer_from_queue(path: str, rows: Any, answers: Any) -> None:
    """The usual way: a process that takes the same requests and gives the same answers, pickled."""
    model = load_model(Path(path), Expectation())
    contract = model.contract
    answers.put("ready")
    while (asked := rows.get()) is not None:
        started_ns = time.monotonic_ns()
        p_down, p_flat, p_up = model.predict_into([value / E6 for value in asked.row_e6])
        answers.put(
            PredictionReceived(
                symbol=asked.symbol,
                model_id=model.model_id,
                generation=asked.generation,
                schema_hash=contract.schema_hash,
                feature_seq=asked.feature_seq,
                p_down=p_down,
                p_flat=p_flat,
                p_up=p_up,
                horizon_ms=contract.horizon_ms,
                started_ns=started_ns,
                finished_ns=time.monotonic_ns(),
                worker_id=0,
                epoch=asked.epoch,
                ts_ns=0,
            )
        )


@pytest.fixture
def ask_queue() -> Iterator[Ask]:
    context = multiprocessing.get_context("spawn")
    rows, answers = context.Queue(), context.Queue()
    process = context.Process(target=answer_from_queue, args=(str(MODEL), rows, answers))
    process.start()
    assert answers.get(timeout=30) == "ready"

    def ask(asked: RequestInference) -> None:
        rows.put(asked)
        assert answers.get().feature_seq == asked.feature_seq

    yield ask
    rows.put(None)
    process.join(5)


@pytest.fixture
def spin_ns(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Give the way to ask a pool whose worker looks for the next row this long."""
    params = PoolParams(workers=1, spares=0, deadline_ns=10**9, spin_ns=request.param)
    pool = WorkerPool(MODEL, SPEC, Expectation(), params)
    pool.start()
    assert pool.wait_ready(30), pool.gave_up

    def ask(asked: RequestInference) -> None:
        pool.submit(asked)
        pool.wait_any(1.0)
        while not (ends := pool.poll(0)):
            pool.wait_any(1.0)
        assert isinstance(ends[0], PredictionReceived)

    yield ask
    pool.close(0)


def spell(ask: Ask, first: int, gap_s: float) -> list[float]:
    times_us = []
    for asked in [row(SPEC, seq) for seq in range(first, first + ROWS)]:
        if gap_s:
            time.sleep(gap_s)
        started = time.perf_counter()
        ask(asked)
        times_us.append((time.perf_counter() - started) * 1e6)
    return times_us


@pytest.mark.parametrize("gap_s", [GAP_S, 0.0], ids=["1 ms apart", "back to back"])
@pytest.mark.parametrize("spin_ns", [50_000, 3_000_000], ids=["default", "kept awake"], indirect=True)
def test_a_worker_is_faster_than_a_queue(spin_ns: Ask, ask_queue: Ask, gap_s: float) -> None:
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(SPELLS):
        ours += spell(spin_ns, turn * ROWS, gap_s)
        theirs += spell(ask_queue, turn * ROWS, gap_s)
    for name, times_us in (("worker", ours), ("multiprocessing.Queue", theirs)):
        p99 = statistics.quantiles(times_us, n=100)[98]
        print(f"{name}: p50 {statistics.median(times_us):.0f} us, p99 {p99:.0f} us")  # noqa: T201  # with -s
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"{ratio:.2f} times as fast; goal {GOAL}")  # noqa: T201  # with -s
    assert ratio >= FLOOR


def test_the_wrapper_costs_at_most_half_of_the_bare_call_more() -> None:
    bound = load_model(MODEL, Expectation()).bound
    bare: list[float] = []
    wrapped: list[float] = []
    for _ in range(40):
        for times_us, call in ((bare, bound.run_bare), (wrapped, bound.answer)):
            started = time.perf_counter()
            for _ in range(200):
                call()
            times_us.append((time.perf_counter() - started) / 200 * 1e6)
    ratio = statistics.median(wrapped) / statistics.median(bare)
    print(f"bare {statistics.median(bare):.1f} us, wrapped {ratio:.2f} times that")  # noqa: T201  # with -s
    assert ratio <= 1.5

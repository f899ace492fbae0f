"""How fast captures become labelled rows: read, engine, features, labels, parts on disk."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from app.bench_replay import bench_session, rate_alone
from app.bench_report import Budget, Row
from app.bench_tools import Plan, interleaved, top_functions
from app.dataset_command import build_dataset
from app.dataset_sources import BuildOptions
from pipeline.research.dataset import read_page
from pipeline.runtime.session import collector_tamed

RATE_BUDGET = Budget(15_000, at_least=True)


def measure(plan: Plan) -> list[Row]:
    """Measure frames a second of one core, and beside it what the engine takes for the same frames alone."""
    spec = bench_session(plan)
    with collector_tamed():
        rates = interleaved(
            {"build": lambda: build_rate(plan), "alone": lambda: rate_alone(spec, plan)}, plan.of(3, 1)
        )
    built = rates["build"]
    profile = "" if built >= RATE_BUDGET.limit else top_functions(lambda: build_rate(plan))
    note = f"features ready within 30 s, three horizons, processor time; {plan.source}"
    return [
        Row("dataset build, one core", "frames/s", built, RATE_BUDGET, note, profile),
        Row("engine without a model / dataset build, the same frames", "x", rates["alone"] / built),
    ]


def build_rate(plan: Plan) -> float:
    """Build the first capture once into a folder that is taken away; frames a second of processor time."""
    folder = Path(tempfile.mkdtemp(prefix="dataset-", dir=plan.home))
    try:
        options = BuildOptions(plan.captures[:1], folder)
        started_ns = time.thread_time_ns()
        build_dataset(options, lambda _: None)
        took_ns = time.thread_time_ns() - started_ns
        return read_page(folder).frames / took_ns * 1e9
    finally:
        shutil.rmtree(folder)

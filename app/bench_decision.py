"""Socket to decision of a live session, beside an echo over the same transports, in turns on the same venue.

The venue is `lobdeck sim --replay` at 1,000 frames a second. Its frames reach a session (decode, book,
features, worker with ONNX, decision, journal) and, in the next spell, the echo (`bench_echo`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from app.bench_live import session, venue
from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan, percentile
from app.launch import child_environment
from app.replay_command import sample_capture
from pipeline.runtime.capture import open_capture, probe

RATIO_BUDGET = Budget(3.0)
P99_BUDGET_MS = Budget(2.0)
FRAMES_A_SECOND = 1_000.0
EVERY = 20
"""Messages for one row of the echo: about as many rows as the session asks on this feed."""
SPELL_S = (12, 4)
"""Of each spell, whole run and quick one."""
END_S = 20.0
STAGES = ("recv_to_features", "recv_to_prediction", "recv_to_decision")

Percentiles = dict[str, float]


def measure(plan: Plan) -> list[Row]:
    """Measure spells of each in turns; the median of the spells counts."""
    capture = sample_capture()
    speed = FRAMES_A_SECOND / frames_a_second(capture)
    ours: list[dict[str, Percentiles]] = []
    echoes: list[Percentiles] = []
    seconds = plan.of(*SPELL_S)
    for turn in range(plan.of(3, 1)):
        with venue(capture, speed) as url:
            ours.append(_session(plan, f"bench-decision-{turn}", url, seconds))
        with venue(capture, speed) as url:
            echoes.append(_echo(url, seconds))
    return rows(ours, echoes)


def rows(ours: list[dict[str, Percentiles]], echoes: list[Percentiles]) -> list[Row]:
    """Judge the spells: delays of the session's stages and of the echo, in microseconds."""
    decisions = [one["recv_to_decision"] for one in ours]
    ratios = [a["p50"] / b["p50"] for a, b in zip(decisions, echoes, strict=True)]
    ratio, p99_ms = percentile(ratios, 0.5), percentile([one["p99"] for one in decisions], 0.5) / 1e3
    p50, echo = (percentile([one["p50"] for one in each], 0.5) for each in (decisions, echoes))
    spread = ", ".join(f"{one['p50']:.0f}" for one in echoes)
    course = "; ".join(
        f"{stage} p50 {percentile([one[stage]['p50'] for one in ours], 0.5):.0f} us" for stage in STAGES
    )
    note = f"{p50:.0f} us, echo {echo:.0f} (its spells {spread}); 1,000 frames/s from the sim's process"
    late = ", ".join(f"{one['p99'] / 1e3:.1f}" for one in echoes)
    return [
        Row(
            "socket -> decision / echo, p50",
            "x",
            ratio,
            RATIO_BUDGET,
            note,
            course if ratio > RATIO_BUDGET.limit else "",
        ),
        Row(
            "socket -> decision, p99 (budget is an idle machine's)",
            "ms",
            p99_ms,
            P99_BUDGET_MS,
            f"echo's own p99 {late} ms",
            course if p99_ms > P99_BUDGET_MS.limit else "",
        ),
    ]


def frames_a_second(capture: Path) -> float:
    """Give the pace of a capture as it was recorded."""
    times = [frame.ts_recv_ns for frame in open_capture([capture])]
    return len(times) / ((times[-1] - times[0]) / 1e9)


def _session(plan: Plan, name: str, url: str, seconds: float) -> dict[str, Percentiles]:
    with session(name, url, probe([sample_capture()], "binance").symbols[0], plan.home) as running:
        running.wait_for(lambda content: content["decisions"] > 0)
        time.sleep(seconds)
        summary = running.end()
    return _delays(summary)


def _delays(summary: dict[str, Any]) -> dict[str, Percentiles]:
    delays: dict[str, Percentiles] = {stage: summary["latency_us"][stage] for stage in STAGES}
    if not delays["recv_to_decision"]["n"]:
        raise BenchError("the session decided nothing")
    return delays


def _echo(url: str, seconds: float) -> Percentiles:
    streams = "/".join(f"btcusdt@{name}" for name in ("depth@100ms", "bookTicker", "trade"))
    arguments = (f"{url}/stream?streams={streams}", f"{seconds:.1f}", str(EVERY))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app.bench_echo", *arguments],
        capture_output=True,
        timeout=seconds + END_S,
        check=False,
        env=child_environment(),
    )
    if done.returncode:
        raise BenchError(f"the echo ended with status {done.returncode}: {done.stderr.decode()[-200:]}")
    percentiles: Percentiles = json.loads(done.stdout)
    if not percentiles["n"]:
        raise BenchError("the echo heard nothing")
    return percentiles

"""Swaps under load: 2,000 frames a second while the model changes again and again, and a worker dies.

The venue is `lobdeck sim --replay` on a long capture (`bench_long`); the models are versions of the bundled
one, so that positions stay open over a swap. What was used is judged from the journal: it is replayed, and
every answer that led to a decision, and every order, is compared with the generation that was live then.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from app.bench_live import BenchSession, session, venue
from app.bench_long import long_capture
from app.bench_models import registered_variants
from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan, percentile
from app.link_call import ask_model
from app.replay_command import sample_capture
from pipeline.core.effects import Effect, SubmitOrder
from pipeline.core.engine import Engine
from pipeline.core.inputs import Input, ModelAct, PredictionReceived
from pipeline.runtime.capture import probe
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.runtime.link_messages import CommandResult
from pipeline.runtime.places import models_dir
from pipeline.wire.venues import codec_for

FRAMES_A_SECOND = 2_000
NONE = Budget(0.0)
SWAP_S = (30, 5)
"""Of the whole run and of the quick one."""
MARGIN_S = 30
"""The session may need so long until the first swap."""
NAME = "bench-logit"
VERSIONS = 2
WORKERS = 2
PAUSE_S = 0.2
ANSWER_S = 60.0
WHO = ("bench", "")


@dataclass(slots=True)
class Course:
    """What was seen while models came and went."""

    took_ms: list[float] = field(default_factory=list)
    """From the request until the new model was live, swap by swap."""
    refused: list[str] = field(default_factory=list)
    killed_ms: float = -1.0
    """The same for the swap during which a worker was killed."""
    killed: int = 0


@dataclass(slots=True)
class Used:
    """What a journal says of the answers of a session, against the generation that was live."""

    decided: int = 0
    wrong: int = 0
    """Decisions and orders of a generation that was not the live one."""
    dropped: int = 0
    """Answers of another generation that came and were not used."""
    swaps: int = 0
    effects_sha256: str = ""
    inputs_sha256: str = ""


def measure(plan: Plan) -> list[Row]:
    """Swap models under load and judge what the session left."""
    seconds = plan.of(*SWAP_S)
    lines = plan.home / "swap.txt"
    every_ns = 1_000_000_000 // FRAMES_A_SECOND
    long_capture([sample_capture()], lines, FRAMES_A_SECOND * (seconds + MARGIN_S), every_ns)
    symbol = probe([lines], "binance").symbols[0]
    registered_variants(models_dir(), NAME, VERSIONS)
    options = ("--workers", str(WORKERS))
    with (
        venue(lines, 1.0) as url,
        session("bench-swap", url, symbol, plan.home, *options) as running,
    ):
        running.wait_for(lambda content: content["orders"] > 0)
        course = swap_for(running, seconds)
        summary = running.end()
    return rows(course, summary, used_in(Path(summary["journal"])))


def swap_for(running: BenchSession, seconds: float) -> Course:
    """Swap models until the time is up, killing a worker during one of the swaps."""
    course, until_s, number = Course(), time.perf_counter() + seconds, 0
    while time.perf_counter() < until_s or not course.killed:
        number += 1
        back = number % 3 == 0
        act, name = (ModelAct.BACK, "") if back else (ModelAct.USE, f"{NAME}@{1 + number % VERSIONS}")
        began_s = time.perf_counter()
        with _a_worker_killed(running, course) if number == 2 else contextlib.nullcontext():
            answer = ask_model(running.place, act, name, WHO, ANSWER_S)
        _note(course, answer, (time.perf_counter() - began_s) * 1e3, killed=number == 2)
        time.sleep(PAUSE_S)
    return course


def _note(course: Course, answer: CommandResult, took_ms: float, *, killed: bool) -> None:
    if not answer.ok:
        course.refused.append(answer.text)
    elif killed:
        course.killed_ms = took_ms
    else:
        course.took_ms.append(took_ms)


@contextlib.contextmanager
def _a_worker_killed(running: BenchSession, course: Course) -> Iterator[None]:
    """Kill a worker a moment after the block began."""

    def kill() -> None:
        for worker in running.workers()[:1]:
            with contextlib.suppress(psutil.Error):
                worker.send_signal(signal.SIGKILL)
                course.killed += 1

    timer = threading.Timer(0.002, kill)
    timer.start()
    try:
        yield
    finally:
        timer.join()
    if not course.killed:
        raise BenchError("there was no worker to kill")


def used_in(journal: Path) -> Used:
    """Replay a journal and judge every answer by the generation that was live when it entered."""
    header, records = read_journal(journal)
    instruments = {one.symbol: one for one in header.params.instruments}
    codec = codec_for(header.codecs[0], instruments, max_frame_bytes=header.max_frame_bytes)
    found, engine = Used(), Engine(header.params)
    decided = 0

    def live() -> int:
        model = engine.models.live
        return model.generation if model is not None else 0

    def saw(effect: Effect) -> None:
        if isinstance(effect, SubmitOrder):
            intent = effect.approved.intent
            found.wrong += bool(intent.model_id) and intent.generation not in (0, live())

    def observed(event: Input) -> None:
        nonlocal decided
        before, decided = decided, engine.state.counters.decisions
        if isinstance(event, PredictionReceived):
            used = decided > before
            found.decided += used
            found.wrong += used and event.generation != live()
            shadows = [one.generation for one in engine.models.shadows]
            found.dropped += not used and event.generation not in (live(), *shadows)

    run = JournalRun(engine, codec, records, header.sources, saw, observed)
    run.advance(None, 600.0)
    found.swaps = engine.models.swaps
    found.effects_sha256, found.inputs_sha256 = run.pump.effects_sha256, run.pump.inputs_sha256
    return found


def rows(course: Course, summary: dict[str, Any], used: Used) -> list[Row]:
    """Judge what was seen, what the summary says and what the journal holds."""
    lost = sum(summary[name] for name in ("gaps", "wire_errors")) + summary["feed"]["lost"]
    took = course.took_ms or [0.0]
    frames, refused = summary["frames"], len(course.refused)
    how = f"{used.swaps} swaps, {refused} refused, {frames:,} frames, {course.killed} worker killed"
    of = f"of {used.decided:,} decisions; {used.dropped} late answers of an old one were dropped"
    same = used.effects_sha256 == summary["effects_sha256"]
    slow = f"with a worker killed in it {course.killed_ms:.0f} ms; at most {max(took):.0f} ms"
    return [
        Row("swaps under load: gaps, refused frames, lost connections", "", lost, NONE, how),
        Row("the same, decisions and orders of a wrong generation", "", used.wrong, NONE, of),
        Row("the same, journal replayed to another hash", "", int(not same), NONE),
        Row("the same, asked -> live, p50", "ms", percentile(took, 0.5), note=slow),
        Row("the same, rows without an answer", "", summary["features"] - summary["predictions"]),
    ]

"""One pass over a capture in virtual time: frames, beats, answers and venue reports in one total order.

A capture holds no predictions and no beats. Here the model runs in lock-step: a row is sent to a worker at
its decision time and its answer enters at decision time plus the configured latency, however long the worker
really took; beats are made at each 10 ms of receive time passed; the paper venue lives in the same time. So
a capture gives the same inputs, and the engine the same effects, on any machine and at any speed.

What happens at the same instant is ordered: venue reports, then answers, then the beat, then frames. A
frame at T comes after everything due at T, so a row decided at T holds only events received before T.
"""

from __future__ import annotations

import enum
import heapq
from collections.abc import Iterator, Sequence
from time import perf_counter

from pipeline.core.effects import RequestInference, RequestSnapshot
from pipeline.core.engine import Engine
from pipeline.core.inputs import PredictionReceived, PredictionVoid, TimerBeat
from pipeline.runtime.capture import CapturedFrame
from pipeline.runtime.engine_run import EngineRun, OnGate
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.pump import JournalLike
from pipeline.runtime.workers import WorkerPool
from pipeline.wire.codec import Codec

BEAT_NS = 10_000_000
LONGEST_SILENCE_NS = 60_000_000_000
"""A hole longer than this (joined captures of different days) is jumped without beats."""

_FRAMES_BETWEEN_LOOKS = 64


class Progress(enum.Enum):
    """Why `CaptureRun.advance` came back."""

    REACHED = enum.auto()
    """Everything up to the asked time has happened."""
    BUDGET = enum.auto()
    """The time budget is used up; call again."""
    WAITING = enum.auto()
    """A worker's answer is due and not here yet; call again when it is."""
    ENDED = enum.auto()
    """The capture is over."""


class CaptureRun(EngineRun):
    """Drives one engine over one capture; built anew for a loop or a seek back."""

    def __init__(
        self,
        engine: Engine,
        codec: Codec,
        frames: Iterator[CapturedFrame],
        gateway: PaperGateway,
        pool: WorkerPool | None,
        journal: JournalLike | None,
        inference_latency_ns: int,
        sources: Sequence[str] = ("",),
        on_gate: OnGate | None = None,
    ) -> None:
        super().__init__(engine, codec, gateway, journal, sources, on_gate)
        self._pool = pool
        self._frames = frames
        self._latency_ns = inference_latency_ns
        self._answers: list[tuple[int, int, RequestInference]] = []
        self._arrived: dict[int, PredictionReceived | PredictionVoid] = {}
        self._next = next(frames, None)
        self.start_ns = self._next.ts_recv_ns if self._next else 0
        self._now_ns = self.start_ns
        self._beat_ns = self.start_ns // BEAT_NS * BEAT_NS + BEAT_NS
        self.frames_done = 0

    @property
    def now_ns(self) -> int:
        """Give the virtual time."""
        return self._now_ns

    @property
    def ended(self) -> bool:
        """Say whether the last frame has been handled."""
        return self._next is None

    @property
    def next_due_ns(self) -> int:
        """Give when something happens next: a frame, an answer, a report, a beat; now at the end."""
        if self._next is None:
            return self.now_ns
        due_ns = min(self._next.ts_recv_ns, self._beat_ns)
        if self._answers:
            due_ns = min(due_ns, self._answers[0][0])
        venue_ns = self.gateway.next_due_ns
        return due_ns if venue_ns is None else min(due_ns, venue_ns)

    def advance(self, until_ns: int | None, budget_s: float, frame_limit: int = 0) -> Progress:
        """Handle everything up to `until_ns` (None: to the end), for at most `budget_s` of real time.

        `frame_limit` > 0 stops after that many frames (a step).
        """
        deadline = perf_counter() + budget_s
        done = 0
        while self._next is not None:
            horizon = self._next.ts_recv_ns
            if until_ns is not None and until_ns < horizon:
                waiting = self._happen_until(until_ns)
                if waiting is None:
                    # Nothing more happens before `until_ns`: it is now that time, or a seek would never end.
                    self._now_ns = max(self._now_ns, until_ns)
                return waiting or Progress.REACHED
            waiting = self._happen_until(horizon)
            if waiting is not None:
                return waiting
            self._take_frame(self._next)
            done += 1
            if done == frame_limit:
                return Progress.REACHED
            if done % _FRAMES_BETWEEN_LOOKS == 0 and perf_counter() > deadline:
                return Progress.BUDGET
        return Progress.ENDED

    def settle(self, until_ns: int, budget_s: float) -> Progress:
        """Let time pass as `advance` does, and after the last frame too: the venue answers even then."""
        if self._next is not None:
            return self.advance(until_ns, budget_s)
        waiting = self._happen_until(until_ns)
        if waiting is None:
            self._now_ns = max(self._now_ns, until_ns)
        return waiting or Progress.REACHED

    def collect_answers(self) -> None:
        """Take what the workers have finished; cheap when there is nothing."""
        if self._pool is None:
            return
        for answer in self._pool.poll(self.now_ns):
            self._arrived[answer.feature_seq] = answer
            self.pump.answer_arrived(answer.feature_seq)

    def _take_frame(self, frame: CapturedFrame) -> None:
        self._now_ns = frame.ts_recv_ns
        self.pump.frame(frame.payload, frame.ts_recv_ns, 0)
        self._flush_replies()
        self.frames_done += 1
        self._next = next(self._frames, None)
        if self._next is not None and self._next.ts_recv_ns - self.now_ns > LONGEST_SILENCE_NS:
            self._beat_ns = self._next.ts_recv_ns // BEAT_NS * BEAT_NS

    def _happen_until(self, horizon_ns: int) -> Progress | None:
        while True:
            venue_ns = self.gateway.next_due_ns
            answer_ns = self._answers[0][0] if self._answers else None
            due_ns = self._beat_ns
            if answer_ns is not None and answer_ns <= due_ns:
                due_ns = answer_ns
            if venue_ns is not None and venue_ns <= due_ns:
                due_ns = venue_ns
            if due_ns > horizon_ns:
                return None
            self._now_ns = max(self._now_ns, due_ns)
            if due_ns == venue_ns:
                for report in self.gateway.due(due_ns):
                    self.put(report)
            elif due_ns == answer_ns:
                if not self._answer():
                    return Progress.WAITING
            else:
                self._beat_ns += BEAT_NS
                self.put(TimerBeat(due_ns))

    def _answer(self) -> bool:
        due_ns, seq, request = self._answers[0]
        self.collect_answers()
        answer = self._arrived.pop(seq, None)
        if answer is None:
            return False
        heapq.heappop(self._answers)
        self.put(_in_virtual_time(answer, request, due_ns))
        return True

    def _ask(self, row: RequestInference) -> None:
        if self._pool is not None:
            self._pool.submit(row)
            heapq.heappush(self._answers, (row.ts_ns + self._latency_ns, row.feature_seq, row))

    def _fetch(self, wanted: RequestSnapshot) -> None:
        """Fetch nothing: a capture has the books it was recorded with."""


def _in_virtual_time(
    answer: PredictionReceived | PredictionVoid, request: RequestInference, due_ns: int
) -> PredictionReceived | PredictionVoid:
    """Replace the measured times and the worker of an answer, which differ from run to run."""
    if isinstance(answer, PredictionVoid):
        return PredictionVoid(answer.symbol, answer.feature_seq, answer.cause, due_ns)
    return PredictionReceived(
        symbol=answer.symbol,
        model_id=answer.model_id,
        generation=answer.generation,
        schema_hash=answer.schema_hash,
        feature_seq=answer.feature_seq,
        p_down=answer.p_down,
        p_flat=answer.p_flat,
        p_up=answer.p_up,
        horizon_ms=answer.horizon_ms,
        started_ns=request.ts_ns,
        finished_ns=due_ns,
        worker_id=0,
        epoch=request.epoch,
        ts_ns=due_ns,
    )

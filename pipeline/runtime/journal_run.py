"""One pass over a journal of ours: the same inputs in the same order, without a model and without a venue.

The journal holds every input, predictions and the venue's reports among them; so nothing is asked of a
worker and nothing is sent. The engine gives the same effects as it gave then. Commands of a person who
watches the replay are not taken: the journal has those of the person who traded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

import msgspec

from pipeline.core.effects import Effect
from pipeline.core.engine import Engine
from pipeline.core.inputs import Input
from pipeline.runtime.capture_run import Progress
from pipeline.runtime.journal_format import JournalError, Record, RecordKind
from pipeline.runtime.pump import Pump
from pipeline.wire.codec import Codec

_decoder: msgspec.msgpack.Decoder[Input] = msgspec.msgpack.Decoder(Input)
_RECORDS_BETWEEN_LOOKS = 64


class JournalRun:
    """Drives one engine over the records of one journal run; the counterpart of `CaptureRun`."""

    def __init__(
        self,
        engine: Engine,
        codec: Codec,
        records: Iterator[Record],
        sources: Sequence[str],
        on_effect: Callable[[Effect], None] = lambda _: None,
        observe: Callable[[Input], None] | None = None,
    ) -> None:
        """Read `records`; `sources` is the table of the journal's header that its frames point into.

        Effects were carried out when the journal was written; `on_effect` and `observe` only look.
        """
        self.engine = engine
        self.pump = Pump(engine, codec, None, on_effect, observe, sources)
        self._records = records
        self._next = next(records, None)
        self.start_ns = self._next.ts_ns if self._next else 0
        self.now_ns = self.start_ns
        self.frames_done = 0
        self.unknown_records = 0

    @property
    def ended(self) -> bool:
        """Say whether the last record has been handled."""
        return self._next is None

    @property
    def next_due_ns(self) -> int:
        """Give the time of the next record; the current time at the end."""
        return self.now_ns if self._next is None else self._next.ts_ns

    def advance(self, until_ns: int | None, budget_s: float, frame_limit: int = 0) -> Progress:
        """Handle everything up to `until_ns` (None: to the end), for at most `budget_s` of real time."""
        deadline = perf_counter() + budget_s
        done = frames = 0
        while self._next is not None:
            if until_ns is not None and until_ns < self._next.ts_ns:
                self.now_ns = max(self.now_ns, until_ns)
                return Progress.REACHED
            frames += self._take(self._next)
            done += 1
            self._next = next(self._records, None)
            if frame_limit and frames == frame_limit:
                return Progress.REACHED
            if done % _RECORDS_BETWEEN_LOOKS == 0 and perf_counter() > deadline:
                return Progress.BUDGET
        return Progress.ENDED

    def settle(self, until_ns: int, budget_s: float) -> Progress:
        """Let no time pass: nothing an operator does here changes what the journal holds."""
        del until_ns, budget_s
        return Progress.REACHED

    def put(self, event: Input) -> None:
        """Take nothing from outside: a journal is the whole truth of its session."""

    def collect_answers(self) -> None:
        """There are no workers to collect from."""

    def queue_ahead(self) -> dict[str, int]:
        """There is no venue: queues are unknown."""
        return {}

    def _take(self, record: Record) -> bool:
        self.now_ns = max(self.now_ns, record.ts_ns)
        if record.kind == RecordKind.FRAME:
            self.pump.frame(record.payload, record.ts_ns, record.epoch, record.source)
            self.frames_done += 1
            return True
        if record.kind == RecordKind.INPUT:
            self.pump.event(_input_of(record))
        elif record.kind != RecordKind.EFFECT:  # the engine has its effects itself
            self.unknown_records += 1
        return False


def _input_of(record: Record) -> Input:
    """Decode one input.

    Raises:
        JournalError: it is not one of this version's.
    """
    try:
        return _decoder.decode(record.payload)
    except (ValueError, RecursionError) as problem:
        raise JournalError(
            f"record {record.sequence} is no input of this version: {problem}; replay it with the version "
            "that wrote it"
        ) from problem

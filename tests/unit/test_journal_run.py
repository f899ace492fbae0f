"""One pass over a journal: the inputs as they were, and nothing from outside."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.core.inputs import Command, OperatorCommand, TimerBeat
from pipeline.core.types import TradingState
from pipeline.runtime.capture_run import Progress
from pipeline.runtime.journal_format import JournalError, Record, RecordKind
from pipeline.runtime.journal_run import JournalRun
from tests.fakes.engines import MS, engine_params, levels
from tests.fakes.market_builders import depth_snapshot, depth_update
from tests.fakes.runs import EchoCodec, Watched
from tests.fakes.trading import ASK, BID, START


def a_run(records: list[Record]) -> tuple[JournalRun, Watched]:
    engine = Watched(engine_params())
    return JournalRun(engine, EchoCodec(), iter(records), ("BTCUSDT",)), engine


def frames_and_beats(count: int = 20) -> list[Record]:
    market = [depth_snapshot(100, levels(BID, -1), levels(ASK, 1), ts_ns=START)]
    records = [Record(RecordKind.FRAME, 1, START, msgspec.msgpack.encode(market[0]), 0, 0, 0)]
    for number in range(1, count):
        ts_ns = START + number * 10 * MS
        update = depth_update(100 + number, 100 + number, ts_ns=ts_ns)
        payload = msgspec.msgpack.encode(update)
        records.append(Record(RecordKind.FRAME, 2 * number, ts_ns, payload, 0, 0, 0))
        beat = msgspec.msgpack.encode(TimerBeat(ts_ns))
        records.append(Record(RecordKind.INPUT, 2 * number + 1, ts_ns, beat, 0, 0, 0))
    return records


def test_frames_and_inputs_come_in_the_order_they_were_written() -> None:
    run, engine = a_run(frames_and_beats())
    assert run.advance(None, 1.0) is Progress.ENDED
    assert run.ended
    assert [type(event).__name__ for event in engine.inputs[1:5]] == ["DepthUpdate", "TimerBeat"] * 2
    assert run.frames_done == run.pump.frames == 20
    assert run.next_due_ns == run.now_ns == START + 190 * MS
    assert engine.counts()["updates"] == 19


def test_it_goes_as_far_as_asked_and_steps_by_frames() -> None:
    run, _ = a_run(frames_and_beats())
    assert run.advance(START + 55 * MS, 1.0) is Progress.REACHED
    assert (run.now_ns, run.next_due_ns) == (START + 55 * MS, START + 60 * MS)
    before = run.frames_done
    assert run.advance(None, 1.0, frame_limit=3) is Progress.REACHED
    assert run.frames_done == before + 3


def test_it_comes_back_when_its_time_is_used_up() -> None:
    run, _ = a_run(frames_and_beats(200))
    assert run.advance(None, 0.0) is Progress.BUDGET


def test_who_watches_changes_nothing() -> None:
    run, engine = a_run(frames_and_beats())
    run.put(OperatorCommand(Command.HALT, "ada", "", "BTCUSDT", 0, 0, START))
    run.collect_answers()
    assert engine.inputs == []
    assert engine.trading_state is TradingState.ACTIVE
    assert run.queue_ahead() == {}


def test_records_of_a_kind_to_come_are_counted_and_passed_over() -> None:
    records = frames_and_beats(3)
    records.insert(1, Record(77, 9, START, b"future", 0, 0, 0))
    run, _ = a_run(records)
    assert run.advance(None, 1.0) is Progress.ENDED
    assert run.unknown_records == 1


def test_an_input_of_another_version_is_said_in_words() -> None:
    records = [Record(RecordKind.INPUT, 41, START, msgspec.msgpack.encode({"type": "Telepathy"}), 0, 0, 0)]
    run, _ = a_run(records)
    with pytest.raises(JournalError, match="record 41 is no input of this version"):
        run.advance(None, 1.0)


def test_an_empty_journal_is_over_at_once() -> None:
    run, _ = a_run([])
    assert run.advance(None, 1.0) is Progress.ENDED
    assert run.next_due_ns == 0

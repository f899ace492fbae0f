"""The one path of every input: hashed and journalled before the engine, timed on the way out."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from pipeline.core.effects import Effect, RequestInference, SubmitOrder
from pipeline.core.inputs import (
    DepthSnapshot,
    FrameIgnored,
    Input,
    PredictionReceived,
    TimerBeat,
    Trade,
    WireInput,
)
from pipeline.core.types import RiskApproved, Side, Trigger
from pipeline.runtime.journal_format import RecordKind
from pipeline.runtime.pump import Pump
from tests.fakes.decisions import a_prediction, an_intent
from tests.fakes.trading import START, trade


class Notes:
    """A journal, an engine and a hand for effects that only take notes."""

    def __init__(self, *effects: Effect) -> None:
        self.records: list[tuple[int, int, bytes, int, int]] = []
        self.handled: list[Input] = []
        self.carried: list[Effect] = []
        self.observed: list[Input] = []
        self.order: list[str] = []
        self._effects = list(effects)

    def append(
        self, kind: RecordKind, ts_ns: int, payload: bytes, epoch: int = 0, codec: int = 0, source: int = 0
    ) -> int:
        assert codec == 0
        self.order.append("journal")
        self.records.append((kind, ts_ns, payload, epoch, source))
        return len(self.records)

    def handle(self, event: Input) -> list[Effect]:
        self.order.append("engine")
        self.handled.append(event)
        return list(self._effects)

    def carry_out(self, effect: Effect) -> None:
        self.order.append("effect")
        self.carried.append(effect)

    def observe(self, event: Input) -> None:
        self.order.append("observe")
        self.observed.append(event)

    def pump(self, codec: Any = None) -> Pump:
        return Pump(self, codec or TwoInOne(), self, self.carry_out, self.observe, ("BTCUSDT", "ETHUSDT"))


class TwoInOne:
    """A codec that gives two inputs of every frame."""

    venue = "binance"

    def __init__(self) -> None:
        self.hints: list[str] = []

    def decode(
        self, frame: bytes, ts_recv_ns: int, epoch: int, symbol_hint: str = ""
    ) -> tuple[WireInput, ...]:
        self.hints.append(symbol_hint)
        snapshot = DepthSnapshot("BTCUSDT", len(frame), (), (), 0, ts_recv_ns, epoch)
        return snapshot, FrameIgnored("rest", ts_recv_ns)


def a_row(seq: int = 7, trigger: Trigger = Trigger.L1_CHANGE) -> RequestInference:
    return RequestInference("BTCUSDT", seq, 0, trigger, (1,), "m", 1, "s", START, START)


def an_order() -> SubmitOrder:
    return SubmitOrder(RiskApproved(an_intent(), "c1", "p"), START)


def test_a_frame_is_journalled_raw_before_the_engine_sees_it() -> None:
    notes = Notes()
    pump = notes.pump()
    pump.frame(b"raw", START, 3, source=1)
    assert notes.order == ["journal", "engine", "observe", "engine", "observe"]
    assert notes.records == [(RecordKind.FRAME, START, b"raw", 3, 1)]
    assert [type(event).__name__ for event in notes.handled] == ["DepthSnapshot", "FrameIgnored"]
    assert notes.observed == notes.handled
    assert pump.frames == 1


def test_a_frame_is_of_the_symbol_its_source_names() -> None:
    notes, codec = Notes(), TwoInOne()
    pump = notes.pump(codec)
    for source in (0, 1, 9):
        pump.frame(b"raw", START, 0, source=source)
    assert codec.hints == ["BTCUSDT", "ETHUSDT", ""]


def test_an_event_is_journalled_as_it_is_with_its_own_time() -> None:
    notes = Notes()
    pump = notes.pump()
    for event, ts_ns in ((TimerBeat(START + 5), START + 5), (trade(1, 2, Side.BUY, START + 6), START + 6)):
        pump.event(event)
        kind, at_ns, payload, _, _ = notes.records[-1]
        assert (kind, at_ns) == (RecordKind.INPUT, ts_ns)
        assert msgspec.msgpack.decode(payload, type=TimerBeat | Trade) == event


def test_the_inputs_hash_is_of_all_payloads_in_order() -> None:
    notes = Notes()
    pump = notes.pump()
    pump.frame(b"one", START, 0)
    pump.event(TimerBeat(START))
    expected = hashlib.sha256(b"".join(payload for _, _, payload, _, _ in notes.records)).hexdigest()
    assert pump.inputs_sha256 == expected


def test_the_effects_hash_is_of_every_effect_in_order() -> None:
    effects = (a_row(1), an_order())
    pump = Notes(*effects).pump()
    pump.event(TimerBeat(START))
    expected = hashlib.sha256(b"".join(msgspec.msgpack.encode(effect) for effect in effects)).hexdigest()
    assert pump.effects_sha256 == expected
    assert pump.effects == 2
    other = Notes(*reversed(effects)).pump()
    other.event(TimerBeat(START))
    assert other.effects_sha256 != expected


def test_without_a_journal_it_hashes_all_the_same() -> None:
    notes = Notes()
    pump = Pump(notes, TwoInOne(), None, notes.carry_out)
    pump.frame(b"raw", START, 0)
    pump.event(TimerBeat(START))
    assert notes.records == []
    assert pump.inputs_sha256 != Notes().pump().inputs_sha256


class TestDelays:
    def counts(self, pump: Pump) -> dict[str, int]:
        return {name: histogram.count for name, histogram in pump.histograms.items() if histogram.count}

    def test_of_a_row_run_from_its_newest_frame_to_decision_and_order(self) -> None:
        notes = Notes(a_row(7))
        pump = notes.pump()
        pump.frame(b"raw", START, 0)
        pump.answer_arrived(7)
        notes._effects = [an_order()]
        pump.event(answer(7))
        assert self.counts(pump) == {
            "recv_to_features": 1,
            "recv_to_prediction": 1,
            "recv_to_decision": 1,
            "recv_to_order": 1,
        }

    def test_of_the_grid_are_kept_apart(self) -> None:
        notes = Notes(a_row(7, Trigger.GRID))
        pump = notes.pump()
        pump.event(TimerBeat(START))
        notes._effects = []
        pump.event(answer(7))
        assert self.counts(pump) == {"recv_to_decision_grid": 1}

    def test_of_rows_nobody_asked_for_are_not_measured(self) -> None:
        pump = Notes(an_order()).pump()
        pump.answer_arrived(99)
        pump.event(answer(99))
        assert self.counts(pump) == {}

    def test_of_rows_that_were_never_answered_stay_bounded(self) -> None:
        notes = Notes()
        pump = notes.pump()
        for seq in range(5_000):
            notes._effects = [a_row(seq)]
            pump.event(TimerBeat(START))
        assert len(pump._row_recv) == 4_096
        pump.answer_arrived(0)
        assert self.counts(pump) == {}

    def test_do_not_count_the_time_a_replay_stood_still(self) -> None:
        notes = Notes(a_row(7))
        pump = notes.pump()
        pump.frame(b"raw", START, 0)
        pump.stood_still()
        notes._effects = [a_row(8)]
        pump.event(TimerBeat(START))  # its newest frame came before the pause
        notes._effects = [an_order()]
        for seq in (7, 8):
            pump.answer_arrived(seq)
            pump.event(answer(seq))
        assert self.counts(pump) == {"recv_to_features": 1}

    def test_are_measured_again_from_the_first_frame_after_a_pause_on(self) -> None:
        notes = Notes(a_row(7))
        pump = notes.pump()
        pump.stood_still()
        pump.frame(b"raw", START, 0)
        notes._effects = []
        pump.event(answer(7))
        assert self.counts(pump) == {"recv_to_features": 1, "recv_to_decision": 1}

    def test_start_where_the_bytes_were_read(self) -> None:
        pump = Notes().pump()
        pump.frame(b"raw", START, 0, received=1)
        assert pump.histograms["recv_to_features"].max_ns > 1_000_000_000


def answer(seq: int) -> PredictionReceived:
    return a_prediction(0.6, feature_seq=seq)

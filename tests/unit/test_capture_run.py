"""One pass over a capture: what happens in which order, and what stops and goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.core.effects import CloseGate, OpenGate, RequestInference, SubmitOrder
from pipeline.core.inputs import (
    Command,
    DepthUpdate,
    ExecutionReport,
    GateChanged,
    Input,
    OperatorCommand,
    PredictionReceived,
    PredictionVoid,
    SendRefused,
    TimerBeat,
    Trade,
    WireInput,
)
from pipeline.core.types import OrderState, Side
from pipeline.runtime.capture_run import BEAT_NS, LONGEST_SILENCE_NS, Progress
from pipeline.runtime.replay_control import ReplayClock
from pipeline.runtime.settling import LONGEST_NS, Settling
from tests.fakes.engines import MS, SECOND, UNITS, levels
from tests.fakes.market_builders import depth_snapshot, depth_update
from tests.fakes.runs import Table
from tests.fakes.trading import ASK, BID, START, trade


def market(milliseconds: int = 1_000, every_ms: int = 50, start_ns: int = START) -> list[WireInput]:
    """A quiet market from a print and a snapshot on, an update every so often."""
    events: list[WireInput] = [trade(BID, 1_000, Side.SELL, start_ns)]
    events.append(depth_snapshot(100, levels(BID, -1), levels(ASK, 1), ts_ns=start_ns))
    for number in range(milliseconds // every_ms):
        update_id = 101 + number
        events.append(depth_update(update_id, update_id, ts_ns=start_ns + number * every_ms * MS))
    return events


def to_the_end(table: Table) -> None:
    while (progress := table.run.advance(None, 1.0)) is not Progress.ENDED:
        assert progress is Progress.BUDGET, progress


def times(table: Table, kind: type[Any]) -> list[int]:
    return [time_of(event) for event in table.engine.inputs if type(event) is kind]


class TestTime:
    def test_beats_come_at_each_ten_milliseconds_passed(self) -> None:
        table = Table(market(200))
        to_the_end(table)
        beats = times(table, TimerBeat)
        assert beats == list(range(START + BEAT_NS, START + 150 * MS + 1, BEAT_NS))

    def test_a_frame_comes_after_everything_due_at_its_instant(self) -> None:
        table = Table(market(400), p_up=0.9)
        to_the_end(table)
        seen = [(time_of(event), type(event).__name__) for event in table.engine.inputs]
        assert seen == sorted(seen, key=lambda one: one[0])
        at_200 = [name for ts_ns, name in seen if ts_ns == START + 200 * MS]
        assert at_200 == ["TimerBeat", "DepthUpdate"]

    def test_answers_enter_at_decision_time_plus_the_latency_whenever_they_came(self) -> None:
        table = Table(market(400))
        to_the_end(table)
        asked = {row.feature_seq: row.ts_ns for row in table.pool.asked}
        answers = [event for event in table.engine.inputs if isinstance(event, PredictionReceived)]
        assert answers
        for answer in answers:
            assert answer.ts_ns == answer.finished_ns == asked[answer.feature_seq] + 2 * MS
            assert (answer.started_ns, answer.worker_id) == (asked[answer.feature_seq], 0)

    def test_a_hole_between_joined_captures_is_jumped_without_beats(self) -> None:
        gap = LONGEST_SILENCE_NS + 5 * SECOND
        events = market(100)
        events.append(depth_update(103, 103, ts_ns=START + gap))
        events.append(depth_update(104, 104, ts_ns=START + gap + 20 * MS))
        table = Table(events)
        to_the_end(table)
        beats = times(table, TimerBeat)
        assert len(beats) < 20
        assert beats[-1] == (START + gap) // BEAT_NS * BEAT_NS + 2 * BEAT_NS

    def test_reports_come_before_answers_and_beats_of_the_same_instant(self) -> None:
        table = Table(market(600), p_up=0.9)
        to_the_end(table)
        reports = [event for event in table.engine.inputs if isinstance(event, ExecutionReport)]
        assert reports[0].status is OrderState.ACCEPTED
        sent = next(effect for effect in table.engine.effects if isinstance(effect, SubmitOrder))
        assert reports[0].ts_ns == sent.ts_ns + 12 * MS


def time_of(event: Input) -> int:
    ts_ns: int = getattr(event, "ts_ns", 0) or getattr(event, "ts_recv_ns", 0)
    return ts_ns


class TestAdvance:
    def test_goes_as_far_as_asked_and_no_further(self) -> None:
        table = Table(market(1_000))
        assert table.run.advance(START + 305 * MS, 1.0) is Progress.REACHED
        assert table.run.now_ns == START + 305 * MS  # nothing more happens before: a seek there has arrived
        assert max(times(table, TimerBeat)) == START + 300 * MS
        assert table.run.next_due_ns == START + 310 * MS
        assert not table.run.ended

    def test_steps_by_frames(self) -> None:
        table = Table(market(1_000))
        assert table.run.advance(None, 1.0, frame_limit=4) is Progress.REACHED
        assert table.run.frames_done == table.run.pump.frames == 4
        assert table.run.advance(None, 1.0, frame_limit=1) is Progress.REACHED
        assert table.run.frames_done == 5

    def test_a_step_back_gives_what_playing_to_that_frame_gives(self) -> None:
        played, stood = Table(market(1_000), p_up=0.9), Table(market(1_000), p_up=0.9)
        assert played.run.advance(None, 1.0, frame_limit=15) is Progress.REACHED
        clock = ReplayClock("capture", 1.0, loop=False)
        clock.request("step", -1, 0.0, START + SECOND, 16)
        clock.restarted(0.0, stood.run.start_ns)
        came_back = 0
        while (target := clock.target(0.0, stood.run.now_ns, stood.run.frames_done)) is not None:
            stood.pool.holding = not stood.pool.holding  # every second turn an answer is late
            came_back += stood.run.advance(target.until_ns, 1.0, target.frame_limit) is Progress.WAITING
        assert came_back
        assert (stood.run.frames_done, stood.run.now_ns) == (15, played.run.now_ns)
        assert stood.run.pump.inputs_sha256 == played.run.pump.inputs_sha256
        assert stood.run.pump.effects_sha256 == played.run.pump.effects_sha256

    def test_comes_back_when_its_time_is_used_up(self) -> None:
        table = Table(market(20_000))
        assert table.run.advance(None, 0.0) is Progress.BUDGET
        assert 0 < table.run.frames_done < 401

    def test_waits_for_an_answer_that_is_due_and_goes_on_with_it(self) -> None:
        table = Table(market(400))
        table.pool.holding = True
        assert table.run.advance(None, 1.0) is Progress.WAITING
        stood_ns = table.run.now_ns
        assert table.run.advance(None, 1.0) is Progress.WAITING
        assert table.run.now_ns == stood_ns == table.pool.asked[0].ts_ns + 2 * MS
        table.pool.holding = False
        table.run.collect_answers()
        to_the_end(table)
        assert times(table, PredictionReceived)[0] == stood_ns

    def test_takes_a_row_no_answer_comes_for(self) -> None:
        table = Table(market(400))
        table.pool.void = True
        to_the_end(table)
        voids = [event for event in table.engine.inputs if isinstance(event, PredictionVoid)]
        assert len(voids) >= 3
        assert voids[0].ts_ns == table.pool.asked[0].ts_ns + 2 * MS
        assert table.engine.counts()["decisions"] == 0

    def test_of_an_empty_capture_is_over_at_once(self) -> None:
        table = Table([])
        assert table.run.advance(None, 1.0) is Progress.ENDED
        assert table.run.ended
        assert table.run.next_due_ns == table.run.now_ns == 0


class TestEffects:
    def test_the_same_capture_gives_the_same_hashes(self) -> None:
        hashes = []
        for _ in range(2):
            table = Table(market(2_000), p_up=0.9)
            to_the_end(table)
            hashes.append((table.run.pump.inputs_sha256, table.run.pump.effects_sha256))
            assert table.run.pump.effects == len(table.engine.effects)
        assert hashes[0] == hashes[1]

    def test_a_pool_that_answers_late_in_real_time_changes_nothing(self) -> None:
        hashes = []
        for slow in (False, True):
            table = Table(market(2_000), p_up=0.9)
            table.pool.holding = slow
            while (progress := table.run.advance(None, 1.0)) is not Progress.ENDED:
                assert progress is Progress.WAITING
                table.pool.holding = False
                table.run.collect_answers()
                table.pool.holding = slow
            hashes.append((table.run.pump.inputs_sha256, table.run.pump.effects_sha256))
        assert hashes[0] == hashes[1]

    def test_an_order_behind_a_closed_gate_comes_back_as_refused(self) -> None:
        table = Table(market(400), p_up=0.9)
        table.gate.open = False
        to_the_end(table)
        refusals = [event for event in table.engine.inputs if isinstance(event, SendRefused)]
        sent = [effect for effect in table.engine.effects if isinstance(effect, SubmitOrder)]
        assert [refused.client_order_id for refused in refusals] == [
            order.approved.client_order_id for order in sent
        ]
        assert refusals
        assert table.run.gateway.refused == len(refusals)
        assert table.venue.open_orders() == ()

    def test_prints_and_books_reach_the_venue(self) -> None:
        events = market(2_000)
        print_ = replace(trade(BID, 2 * UNITS, Side.SELL, time_of(events[19])), trade_id=2)
        events.insert(20, print_)
        table = Table(events, p_up=0.9)
        to_the_end(table)
        assert table.engine.counts()["fills"] == 1
        assert isinstance(events[20], Trade)

    def test_what_moves_the_gate_is_handed_on(self) -> None:
        table = Table(market(400))
        table.run.advance(START + 200 * MS, 1.0)
        table.run.put(command(Command.KILL, table.run.now_ns))
        table.run.put(command(Command.RESUME, table.run.now_ns))
        assert [type(effect) for effect in table.gate_effects] == [CloseGate, OpenGate]

    def test_what_the_gate_then_is_enters_at_the_same_virtual_time(self) -> None:
        def shut(_: CloseGate | OpenGate, put: Callable[[Input], None], now_ns: int) -> None:
            put(GateChanged(False, True, ("engine",), "engine", "test", 1, now_ns))

        table = Table(market(400))
        table.run._on_gate = shut
        table.run.advance(START + 200 * MS, 1.0)
        asked_ns = table.run.now_ns
        table.run.put(command(Command.KILL, asked_ns))
        assert isinstance(table.engine.inputs[-1], GateChanged)
        assert table.engine.inputs[-1].ts_ns == asked_ns
        assert table.engine.trading_state.name == "KILLED"

    def test_queues_are_the_venues(self) -> None:
        table = Table(market(600), p_up=0.9)
        to_the_end(table)
        (ahead,) = table.run.queue_ahead().values()
        assert ahead == UNITS

    def test_frames_that_name_no_symbol_are_the_sources(self) -> None:
        table = Table(market(100))
        to_the_end(table)
        assert {*table.codec.hints} == {"BTCUSDT"}

    def test_without_a_pool_no_row_is_waited_for(self) -> None:
        table = Table(market(400))
        table.run._pool = None
        to_the_end(table)
        assert [e for e in table.engine.effects if isinstance(e, RequestInference)]
        table.run.collect_answers()
        assert not times(table, PredictionReceived)


def command(what: Command, ts_ns: int) -> OperatorCommand:
    return OperatorCommand(what, "ada", "", "BTCUSDT", 0, 0, ts_ns)


@pytest.mark.parametrize("skipped", [0, 1])
def test_one_update_that_is_missing_is_one_gap(skipped: int) -> None:
    events = market(1_000)
    if skipped:
        del events[12]
    table = Table(events)
    to_the_end(table)
    counts = table.engine.counts()
    assert counts["gaps"] == skipped
    assert isinstance(events[-1], DepthUpdate)


def killed_at(ts_ns: int) -> GateChanged:
    return GateChanged(False, True, ("shell",), "ada", "kill", 1, ts_ns)


class TestSettling:
    """An operator's cancels are confirmed though the replay is paused or over."""

    def working(self, milliseconds: int = 2_000) -> Table:
        """Stand still in a session with an order that rests."""
        table = Table(market(milliseconds), p_up=0.9)
        assert table.run.advance(START + 905 * MS, 1.0) is Progress.REACHED
        assert table.engine.open_orders > 0
        return table

    def settle(self, table: Table) -> None:
        settling = Settling()
        settling.begin(table.run.now_ns)
        while table.engine.awaits_cancels:
            assert settling.step(table.run) in (Progress.REACHED, Progress.BUDGET)

    def test_a_kill_is_confirmed_in_a_few_beats(self) -> None:
        table = self.working()
        table.run.put(killed_at(table.run.now_ns))
        self.settle(table)
        assert table.engine.open_orders == 0
        assert table.engine.state.kill is not None
        assert table.engine.state.kill.confirmed_ts_ns > 0
        assert table.run.now_ns - (START + 905 * MS) <= 3 * BEAT_NS

    def test_the_hashes_do_not_tell_that_it_was_paused(self) -> None:
        paused, going = self.working(), self.working()
        for table in (paused, going):
            table.run.put(killed_at(table.run.now_ns))
        self.settle(paused)
        for table in (paused, going):
            to_the_end(table)
        assert paused.run.pump.inputs_sha256 == going.run.pump.inputs_sha256
        assert paused.run.pump.effects_sha256 == going.run.pump.effects_sha256

    def test_a_kill_after_the_last_frame_is_confirmed(self) -> None:
        table = Table(market(900), p_up=0.9)
        to_the_end(table)
        assert table.engine.open_orders > 0
        table.run.put(killed_at(table.run.now_ns))
        self.settle(table)
        assert table.engine.open_orders == 0

    def test_what_the_machine_cancels_moves_no_time(self) -> None:
        table = self.working()
        before_ns = table.run.now_ns
        assert Settling().step(table.run) is Progress.REACHED
        assert table.run.now_ns == before_ns

    def test_a_cancel_nobody_answers_is_given_up(self) -> None:
        table = self.working(20_000)
        table.venue.cancel = lambda *_: None  # type: ignore[method-assign]  # the cancel is lost
        table.run.put(killed_at(table.run.now_ns))
        settling, steps = Settling(), 0
        settling.begin(table.run.now_ns)
        while steps < 2_000:
            before_ns = table.run.now_ns
            settling.step(table.run)
            if table.run.now_ns == before_ns:
                break
            steps += 1
        assert table.engine.open_orders > 0
        assert table.run.now_ns - (START + 905 * MS) == LONGEST_NS

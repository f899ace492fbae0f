"""Everything that stops the engine: gate, kill, loss limit, loop lag; and what it takes to go on."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.core.effects import AlertCode, CancelOrder, CloseGate, SubmitOrder
from pipeline.core.inputs import Command, GateChanged, TimerBeat
from pipeline.core.kill_progress import KillProgress
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.types import QUOTE_SCALE, Authority, OrderState, Origin, Severity, TradingState
from tests.fakes.engines import MS, OPEN_LIMITS, SECOND, UNITS, Floor, engine_params, levels
from tests.fakes.trading import ASK, BID

CROSS = ExecutionParams(entry=EntryStyle.CROSS)
TIGHT_LOSS = msgspec.structs.replace(OPEN_LIMITS, max_daily_loss_quote_e8=1 * QUOTE_SCALE)


def working(**changes: object) -> Floor:
    """AUTO with one entry resting."""
    floor = Floor(engine_params(**changes)).warm(0.9)
    floor.busy_ms(200)
    assert floor.engine.open_orders == 1
    return floor


def holding(**changes: object) -> Floor:
    """AUTO with a position from a crossing entry, and the model silent since."""
    floor = Floor(engine_params(execution=CROSS, **changes)).warm(0.9)
    floor.busy_ms(300)
    assert floor.position > 0
    floor.p_up = None
    return floor


class TestHalt:
    def test_ends_permits_withdraws_entries_and_cards(self) -> None:
        floor = working()
        floor.command(Command.HALT)
        assert [alert.detail for alert in floor.alerts(AlertCode.PERMIT_ENDED)] == ["HALTED"]
        (cancel,) = floor.of(CancelOrder)
        assert cancel.reason == "NOT_ACTIVE"
        floor.busy_ms(100)
        assert floor.engine.open_orders == 0
        assert not floor.picture().proposals
        assert floor.picture().chain.stopped == "HALTED"

    def test_lets_nothing_go_until_somebody_resumes(self) -> None:
        floor = working()
        floor.command(Command.HALT)
        before = len(floor.of(SubmitOrder))
        floor.busy_ms(3_000)
        assert len(floor.of(SubmitOrder)) == before
        floor.command(Command.RESUME)
        floor.busy_ms(1_000)
        assert len(floor.of(SubmitOrder)) > before

    def test_stops_exits_and_shows_the_position_as_unmanaged(self) -> None:
        floor = holding()
        floor.command(Command.HALT)
        floor.busy_ms(40_000)
        assert floor.position > 0
        assert floor.picture().header.unmanaged_lots == floor.position

    def test_goes_on_deciding(self) -> None:
        floor = working()
        floor.command(Command.HALT)
        before = floor.engine.counts()["decisions"]
        floor.busy_ms(1_000)
        assert floor.engine.counts()["decisions"] > before


class TestGateClosed:
    def test_without_latch_halts_and_says_who(self) -> None:
        floor = working()
        effects = floor.close_gate(who="eve", reason="looks wrong")
        (alert,) = floor.alerts(AlertCode.GATE_CLOSED, effects)
        assert (alert.detail, alert.severity) == ("eve looks wrong", Severity.WARN)
        assert floor.is_in(TradingState.HALTED)
        header = floor.picture().header
        assert (header.gate_open, header.gate_closers) == (False, ("shell",))
        assert floor.picture().chain.stopped == "GATE_CLOSED"

    def test_opened_again_leads_to_halted_and_no_further(self) -> None:
        floor = working()
        floor.close_gate()
        effects = floor.open_gate()
        assert floor.alerts(AlertCode.GATE_OPENED, effects)
        assert floor.is_in(TradingState.HALTED)
        assert floor.picture().kill is None
        floor.command(Command.RESUME)
        assert floor.is_in(TradingState.ACTIVE)


class TestKill:
    def test_latches_and_cancels_everything_ours(self) -> None:
        floor = working()
        effects = floor.close_gate(latch=True, who="ada")
        assert floor.is_in(TradingState.KILLED)
        (alert,) = floor.alerts(AlertCode.GATE_CLOSED, effects)
        assert alert.severity is Severity.CRITICAL
        assert len(floor.of(CancelOrder, effects)) == 1
        assert floor.picture().chain.stopped == "KILLED"

    def test_says_no_orders_left_only_when_the_venue_has_none(self) -> None:
        floor = working()
        floor.close_gate(latch=True)
        floor.pass_ms(10)
        assert not floor.alerts(AlertCode.ORDERS_GONE)
        view = floor.picture().kill
        assert view is not None
        assert (view.ours_total, view.cancels_sent, view.gone, view.confirmed_ts_ns) == (1, 1, 0, 0)
        floor.pass_ms(20)
        (alert,) = floor.alerts(AlertCode.ORDERS_GONE)
        view = floor.picture().kill
        assert view is not None
        assert (view.gone, view.confirmed_ts_ns) == (1, alert.ts_ns)

    def test_without_orders_is_confirmed_with_the_next_beat(self) -> None:
        floor = Floor().warm()
        floor.close_gate(latch=True)
        floor.pass_ms(10)
        assert floor.alerts(AlertCode.ORDERS_GONE)

    def test_asks_again_each_second_while_the_venue_is_silent(self) -> None:
        floor = Floor(latency_ms=3_500).warm(0.9)
        floor.busy_ms(150)
        assert floor.engine.open_orders == 1
        floor.close_gate(latch=True)
        cancels = floor.of(CancelOrder, floor.pass_ms(2_500))
        assert len(cancels) == 2
        assert not floor.alerts(AlertCode.ORDERS_GONE)
        floor.pass_ms(6_000)
        assert floor.engine.open_orders == 0
        assert floor.alerts(AlertCode.ORDERS_GONE)

    def test_takes_exits_with_it_too(self) -> None:
        floor = holding()
        floor.p_up = 0.1
        floor.busy_ms(300)
        live = floor.state.orders.live("BTCUSDT")
        assert [order.intent.origin for order in live] == [Origin.EXIT]
        floor.close_gate(latch=True)
        floor.pass_ms(50)
        assert floor.engine.open_orders == 0
        assert floor.position > 0

    def test_after_a_halt_shows_the_kill_and_not_the_halt(self) -> None:
        floor = working()
        floor.close_gate(who="ada", reason="halt")
        floor.close_gate(latch=True, who="eve", reason="kill")
        view = floor.picture().kill
        assert view is not None
        assert (view.latched, view.who, view.reason) == (True, "eve", "kill")
        floor.close_gate(latch=True, who="bob", reason="again")
        again = floor.picture().kill
        assert again is not None
        assert again.who == "eve"

    def test_at_the_start_leaves_the_engine_killed(self) -> None:
        floor = Floor()
        floor.put(GateChanged(False, True, (), "ada", "yesterday", 4, floor.now_ns))
        floor.warm(0.9)
        assert not floor.of(SubmitOrder, floor.busy_ms(500))
        assert floor.is_in(TradingState.KILLED)

    def test_survives_a_resume(self) -> None:
        floor = working()
        floor.close_gate(latch=True)
        floor.command(Command.RESUME)
        assert floor.is_in(TradingState.KILLED)

    def test_ends_by_release_then_resume(self) -> None:
        floor = working()
        floor.close_gate(latch=True)
        floor.busy_ms(100)
        floor.open_gate()
        floor.command(Command.RELEASE)
        assert floor.engine.last_answer.startswith("released: HALTED")
        assert floor.is_in(TradingState.HALTED)
        assert "authority OBSERVE" in floor.engine.last_answer
        floor.command(Command.RESUME)
        assert not floor.of(SubmitOrder, floor.busy_ms(600))
        floor.command(Command.SET_AUTHORITY, authority=int(Authority.AUTO))
        assert floor.of(SubmitOrder, floor.busy_ms(2_000))

    def test_counts_a_fill_that_came_too_late_to_cancel(self) -> None:
        floor = working()
        (order,) = floor.state.orders.live("BTCUSDT")
        floor.close_gate(latch=True)
        floor.trade(BID - 1, UNITS)
        floor.pass_ms(100)
        view = floor.picture().kill
        assert view is not None
        assert (view.filled_late, view.gone) == (1, 0)
        assert view.position_lots == order.intent.qty_lots
        assert view.position_quote_e8 > 0

    def test_counts_the_fill_of_a_flatten_sent_after_it_nowhere(self) -> None:
        floor = holding()
        floor.close_gate(latch=True)
        floor.pass_ms(30)
        before = floor.picture().kill
        floor.command(Command.FLATTEN)
        floor.busy_ms(200)
        after = floor.picture().kill
        assert floor.position == 0
        assert before is not None
        assert after is not None
        for name in ("ours_total", "cancels_sent", "gone", "filled_late"):
            assert getattr(after, name) == getattr(before, name), name

    def test_takes_no_orders_left_back_while_a_flatten_is_out(self) -> None:
        floor = holding()
        floor.close_gate(latch=True)
        floor.pass_ms(30)
        first = floor.picture().kill
        assert first is not None
        assert first.confirmed_ts_ns > 0
        sent_ns = floor.now_ns
        floor.command(Command.FLATTEN)
        between = floor.picture().kill
        assert between is not None
        assert between.confirmed_ts_ns == 0
        floor.busy_ms(200)
        again = floor.picture().kill
        assert again is not None
        assert again.confirmed_ts_ns > sent_ns
        assert len(floor.alerts(AlertCode.ORDERS_GONE)) == 2

    def test_believes_no_list_asked_for_before_the_newest_order(self) -> None:
        kill = KillProgress("ada", "", SECOND, True, 0, 0, 0)
        kill.on_listed(0, 2 * SECOND)
        kill.on_listed(0, 4 * SECOND)
        assert kill.listed_zero
        kill.on_sent(5 * SECOND)
        assert not kill.listed_zero
        kill.on_listed(0, 5 * SECOND)
        kill.on_listed(0, 6 * SECOND)
        assert not kill.listed_zero
        kill.on_listed(0, 7 * SECOND)
        assert kill.listed_zero


class TestLossLimit:
    def losing(self) -> Floor:
        floor = holding(limits={"BTCUSDT": TIGHT_LOSS})
        floor.update(bids=tuple((price, 0) for price, _ in levels(BID, -1)))
        floor.update(bids=levels(BID - 40_000, -1))
        return floor

    def test_kills_after_two_seconds_against_an_ok_book(self) -> None:
        floor = self.losing()
        assert not floor.alerts(AlertCode.LOSS_LIMIT, floor.busy_ms(1_900))
        effects = floor.busy_ms(200)
        (alert,) = floor.alerts(AlertCode.LOSS_LIMIT, effects)
        assert alert.severity is Severity.CRITICAL
        assert alert.values[0] >= alert.values[1] == 1 * QUOTE_SCALE
        (effect,) = floor.of(CloseGate, effects)
        assert effect.latch
        assert floor.is_in(TradingState.KILLED)
        assert floor.gate.latched

    def test_fall_from_the_best_kills_a_day_that_still_wins(self) -> None:
        fall = msgspec.structs.replace(OPEN_LIMITS, max_drawdown_quote_e8=1 * QUOTE_SCALE)
        floor = holding(limits={"BTCUSDT": fall})
        floor.update(asks=tuple((price, 0) for price, _ in levels(ASK, 1)))
        floor.update(bids=levels(BID + 40_000, -1), asks=levels(ASK + 40_000, 1))
        floor.busy_ms(100)
        best = floor.picture().position.day_quote_e8
        assert best > 2 * QUOTE_SCALE
        floor.update(bids=tuple((price, 0) for price, _ in levels(BID + 40_000, -1)))
        floor.update(bids=levels(BID + 20_000, -1))
        effects = floor.busy_ms(2_200)
        (alert,) = floor.alerts(AlertCode.LOSS_LIMIT, effects)
        assert (alert.detail, alert.values[1]) == ("DRAWDOWN", 1 * QUOTE_SCALE)
        assert floor.picture().position.day_quote_e8 > 0
        assert floor.is_in(TradingState.KILLED)

    def test_is_no_loss_when_the_quote_comes_back_in_time(self) -> None:
        floor = self.losing()
        floor.busy_ms(1_000)
        floor.update(bids=levels(BID, -1))
        floor.busy_ms(3_000)
        assert floor.is_in(TradingState.ACTIVE)

    def test_waits_for_a_book_that_is_ok(self) -> None:
        floor = self.losing()
        floor.busy_ms(1_000)
        floor.update(skip=3)
        floor.pass_ms(3_000)
        assert floor.is_in(TradingState.ACTIVE)
        floor.snapshot(levels(BID - 40_000, -1))
        floor.update()
        floor.busy_ms(1_900)
        assert floor.is_in(TradingState.ACTIVE)
        floor.busy_ms(200)
        assert floor.is_in(TradingState.KILLED)

    def test_is_said_once(self) -> None:
        floor = self.losing()
        floor.busy_ms(9_000)
        assert len(floor.alerts(AlertCode.LOSS_LIMIT)) == 1
        assert len(floor.of(CloseGate)) == 1

    def test_can_be_released_to_flatten_and_kills_again_when_resumed(self) -> None:
        floor = self.losing()
        floor.busy_ms(2_500)
        floor.open_gate()
        floor.command(Command.RELEASE)
        floor.busy_ms(3_000)
        assert floor.is_in(TradingState.HALTED)
        floor.command(Command.RESUME)
        floor.busy_ms(2_500)
        assert floor.is_in(TradingState.KILLED)

    def test_kills_from_halted_as_well(self) -> None:
        floor = self.losing()
        floor.command(Command.HALT)
        floor.busy_ms(2_500)
        assert floor.is_in(TradingState.KILLED)


class TestLoopLag:
    def test_is_warned_of(self) -> None:
        floor = working()
        effects = floor.put(TimerBeat(floor.now_ns, loop_lag_ns=150 * MS))
        (alert,) = floor.alerts(AlertCode.LOOP_LAG, effects)
        assert alert.values == (150_000,)
        assert floor.is_in(TradingState.ACTIVE)

    def test_beyond_bearing_halts(self) -> None:
        floor = working()
        floor.put(TimerBeat(floor.now_ns, loop_lag_ns=SECOND))
        assert floor.is_in(TradingState.HALTED)

    def test_does_not_lift_a_kill(self) -> None:
        floor = working()
        floor.close_gate(latch=True)
        floor.put(TimerBeat(floor.now_ns, loop_lag_ns=SECOND))
        assert floor.is_in(TradingState.KILLED)

    def test_that_is_over_says_nothing(self) -> None:
        floor = working()
        floor.put(TimerBeat(floor.now_ns, loop_lag_ns=150 * MS))
        assert not floor.alerts(AlertCode.LOOP_LAG, floor.put(TimerBeat(floor.now_ns, loop_lag_ns=0)))


class TestDust:
    """What the venue would not take back stands in nobody's way."""

    def with_dust(self) -> Floor:
        floor = Floor(engine_params()).warm(0.9)
        floor.busy_ms(150)
        floor.trade(BID, UNITS + 5_000)
        floor.pass_ms(20)
        floor.p_up = 0.5
        floor.busy_ms(500)
        assert floor.position == 5
        return floor

    @pytest.mark.parametrize("p_up", [0.9, 0.1])
    def test_does_not_keep_the_next_entry_away(self, p_up: float) -> None:
        floor = self.with_dust()
        before = len(floor.of(SubmitOrder))
        floor.p_up = p_up
        floor.busy_ms(2_000)
        assert len(floor.of(SubmitOrder)) > before

    def test_ends_a_flatten(self) -> None:
        floor = self.with_dust()
        floor.command(Command.FLATTEN)
        floor.busy_ms(1_000)
        floor.command(Command.RESUME)
        floor.p_up = 0.9
        before = len(floor.of(SubmitOrder))
        floor.busy_ms(900)
        assert len(floor.of(SubmitOrder)) > before
        assert "FLATTEN" not in [cancel.reason for cancel in floor.of(CancelOrder)]


def test_auto_says_when_its_permit_ended_and_nothing_can_go() -> None:
    floor = Floor().warm(0.9)
    floor.pass_ms(6_000)
    floor.update()
    floor.busy_ms(300)
    assert floor.engine.authority is Authority.AUTO
    assert floor.picture().permits[0].why == "BOOK"
    assert floor.picture().chain.stopped == "NO_PERMIT"
    assert not floor.of(SubmitOrder, floor.busy_ms(500))
    floor.command(Command.RESUME)
    assert floor.picture().chain.stopped == ""
    assert floor.of(SubmitOrder, floor.busy_ms(500))


def test_an_exit_that_rests_shows_as_one() -> None:
    floor = holding()
    floor.p_up = 0.1
    floor.busy_ms(300)
    picture = floor.picture()
    assert picture.position.exit_resting
    assert picture.orders[0].state is OrderState.ACCEPTED
    assert picture.ladder.mine[0][:2] == (ASK, -floor.position)

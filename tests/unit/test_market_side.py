"""The market side of the engine: what a broken book stops, and when rows are asked for."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from pipeline.core.effects import AlertCode, CancelOrder, RequestInference, RequestSnapshot, SubmitOrder
from pipeline.core.history import POINTS
from pipeline.core.inputs import (
    CONNECTING,
    FeedStatusChanged,
    FrameIgnored,
    FrameRefused,
    RefusalReason,
    SymbolStatus,
)
from pipeline.core.snapshot import NONE_E6
from pipeline.core.types import Authority, BookState, Severity, Side, SyncRule, Trigger
from tests.fakes.engines import FREE, MS, SECOND, UNITS, Floor, engine_params
from tests.fakes.market_builders import book_ticker, depth_snapshot, depth_update
from tests.fakes.trading import ASK, BID, trade


def test_the_first_update_asks_for_a_snapshot() -> None:
    floor = Floor()
    (request,) = floor.of(RequestSnapshot, floor.update())
    assert (request.symbol, request.reason) == ("BTCUSDT", "start")


def test_a_book_that_becomes_ok_says_so_once_and_feeds_rows() -> None:
    floor = Floor().warm()
    assert floor.book.state is BookState.SYNCED
    assert len(floor.alerts(AlertCode.BOOK_SYNCED)) == 1
    assert floor.of(RequestInference)


def test_levels_of_no_size_in_a_snapshot_are_no_levels() -> None:
    floor = Floor()
    floor.snapshot(bids=((BID, UNITS), (BID - 1, 0)), asks=((ASK - 1, 0), (ASK, UNITS)))
    floor.update()
    assert floor.picture().ladder.bids == ((BID, UNITS),)
    assert floor.picture().ladder.asks == ((ASK, UNITS),)


class TestGap:
    def test_asks_for_a_snapshot_and_warns_in_the_same_event(self) -> None:
        floor = Floor().warm()
        effects = floor.update(skip=3)
        (request,) = floor.of(RequestSnapshot, effects)
        assert request.reason == "gap"
        (alert,) = floor.alerts(AlertCode.BOOK_GAP, effects)
        assert alert.severity is Severity.WARN
        assert alert.values == (1,)

    def test_starts_the_features_again(self) -> None:
        floor = Floor().warm()
        assert floor.state.desks["BTCUSDT"].features.ready(("qi_1",), floor.now_ns)
        floor.update(skip=3)
        assert not floor.state.desks["BTCUSDT"].features.ready(("qi_1",), floor.now_ns)

    def test_asks_for_no_row_until_the_book_is_ok_again(self) -> None:
        floor = Floor().warm()
        floor.update(skip=3)
        assert not floor.of(RequestInference, floor.pass_ms(500))
        floor.snapshot()
        floor.update()
        assert floor.book.resyncs == 1
        assert floor.of(RequestInference, floor.busy_ms(300))

    def test_withdraws_the_card(self) -> None:
        floor = Floor(engine_params(authority=Authority.APPROVE)).warm(0.9)
        floor.busy_ms(1_000)
        assert floor.picture().proposals
        floor.update(skip=3)
        assert not floor.picture().proposals

    def test_withdraws_the_working_entry(self) -> None:
        floor = Floor().warm(0.9)
        floor.busy_ms(200)
        assert floor.engine.open_orders == 1
        floor.update(skip=3)
        (cancel,) = floor.of(CancelOrder, floor.pass_ms(10))
        assert cancel.reason == "BOOK_NOT_OK"

    def test_voids_the_answers_to_rows_of_before(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        row = floor.of(RequestInference)[-1]
        floor.update(skip=3)
        floor.snapshot()
        floor.update()
        effects = floor.answer(0.95, row)
        assert floor.engine.counts()["decisions"] == 0
        assert not floor.of(SubmitOrder, effects)

    def test_empties_the_numbers_of_the_panels(self) -> None:
        floor = Floor().warm(0.9)
        floor.busy_ms(1_000)
        floor.update(skip=3)
        picture = floor.picture()
        assert picture.ladder.state is BookState.GAP
        assert picture.ladder.gaps == 1
        assert picture.ladder.last_gap_age_ms == 0
        assert picture.ladder.mid_half_ticks == 0
        assert picture.chain.stopped == "BOOK_NOT_OK"


def test_a_book_begun_anew_in_its_stream_withdraws_what_was_built_on_the_old() -> None:
    streamed = dataclasses.replace(FREE, sync_rule=SyncRule.STREAMED)
    floor = Floor(engine_params(authority=Authority.APPROVE, instruments=(streamed,))).warm(0.9)
    floor.busy_ms(1_000)
    row = floor.of(RequestInference)[-1]
    assert floor.picture().proposals
    begun = depth_snapshot(1, ((BID, UNITS),), ((ASK, UNITS),), ts_ns=floor.now_ns)
    effects = floor.put(begun)
    assert not floor.of(RequestSnapshot, effects)
    assert floor.alerts(AlertCode.BOOK_GAP, effects)
    assert (floor.book.state, floor.book.gaps, floor.book.resyncs) == (BookState.SYNCED, 0, 1)
    assert not floor.picture().proposals
    assert not floor.state.desks["BTCUSDT"].features.ready(("ofi_1s",), floor.now_ns)
    before = floor.engine.counts()["decisions"]
    floor.answer(0.95, row)
    assert floor.engine.counts()["decisions"] == before


def test_a_new_connection_is_no_gap_on_the_ladder() -> None:
    floor = Floor().warm()
    desk = floor.state.desks["BTCUSDT"]
    update = floor.book.last_update_id + 50
    effects = floor.put(depth_update(update, update, ts_ns=floor.now_ns, epoch=1))
    assert floor.of(RequestSnapshot, effects)[0].reason == "epoch"
    assert desk.synced.gaps == 0
    assert floor.picture().ladder.last_gap_age_ms == -1


def test_a_feed_that_goes_down_stops_the_symbol_like_a_lost_book() -> None:
    floor = Floor(engine_params(authority=Authority.APPROVE)).warm(0.9)
    floor.busy_ms(1_000)
    row = floor.of(RequestInference)[-1]
    assert floor.picture().proposals
    effects = floor.put(FeedStatusChanged("depth", False, 1, "closed", floor.now_ns))
    assert floor.alerts(AlertCode.FEED_DOWN, effects)
    assert floor.alerts(AlertCode.BOOK_STALE, effects)
    picture = floor.picture()
    assert not picture.chain.feed_up
    assert not picture.proposals
    before = floor.engine.counts()["decisions"]
    floor.answer(0.95, row)
    assert floor.engine.counts()["decisions"] == before


def test_a_feed_that_comes_back_is_said() -> None:
    floor = Floor().warm()
    floor.put(FeedStatusChanged("depth", False, 1, "closed", floor.now_ns))
    effects = floor.put(FeedStatusChanged("depth", True, 2, "", floor.now_ns))
    assert floor.alerts(AlertCode.FEED_UP, effects)
    assert floor.picture().chain.feed_up


def test_a_feed_that_only_begins_to_connect_is_no_warning() -> None:
    floor = Floor()
    (alert,) = floor.alerts(
        AlertCode.FEED_DOWN,
        floor.put(FeedStatusChanged("stream", False, 0, CONNECTING, floor.now_ns)),
    )
    assert alert.severity is Severity.INFO
    (alert,) = floor.alerts(
        AlertCode.FEED_DOWN, floor.put(FeedStatusChanged("stream", False, 0, "port refused", floor.now_ns))
    )
    assert alert.severity is Severity.WARN


def test_a_silent_trade_channel_is_said_and_no_book_is_lost() -> None:
    floor = Floor().warm()
    status = FeedStatusChanged("btcusdt@trade", False, 1, "silent", floor.now_ns, "BTCUSDT", depth=False)
    effects = floor.put(status)
    assert floor.alerts(AlertCode.FEED_DOWN, effects)
    assert floor.book.is_synced
    assert floor.picture().chain.feed_up


def test_a_channel_of_another_symbol_that_is_down_leaves_this_book() -> None:
    floor = Floor().warm()
    floor.put(FeedStatusChanged("ethusdt@depth", False, 1, "silent", floor.now_ns, "ETHUSDT"))
    assert floor.book.is_synced


def test_the_feed_is_up_again_when_all_that_went_down_came_back() -> None:
    floor = Floor().warm()
    for name in ("public-1", "public-2"):
        floor.put(FeedStatusChanged(name, False, 1, "closed", floor.now_ns))
    floor.put(FeedStatusChanged("public-1", True, 2, "", floor.now_ns))
    assert not floor.picture().chain.feed_up
    floor.put(FeedStatusChanged("public-2", True, 2, "", floor.now_ns))
    assert floor.picture().chain.feed_up


def test_a_silent_book_becomes_stale_and_recovers_with_the_next_update() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(5_000)
    effects = floor.pass_ms(2_100)
    assert floor.alerts(AlertCode.BOOK_STALE, effects)
    assert floor.book.state is BookState.STALE
    effects = floor.update()
    assert floor.alerts(AlertCode.BOOK_SYNCED, effects)
    assert floor.state.desks["BTCUSDT"].book_ok


def test_a_touch_that_stands_as_before_a_loss_marks_positions_again() -> None:
    floor = Floor().warm()
    floor.pass_ms(2_100)
    floor.update()
    assert floor.state.portfolio._mid_half_ticks["BTCUSDT"] == BID + ASK


def test_a_crossed_book_feeds_nothing() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(200)
    effects = floor.update(bids=((ASK + 5, UNITS),))
    assert floor.alerts(AlertCode.BOOK_CROSSED, effects)
    assert floor.picture().chain.stopped == "BOOK_NOT_OK"
    assert not floor.of(SubmitOrder, floor.pass_ms(500))


class TestRows:
    def test_are_asked_on_the_grid_while_nothing_moves(self) -> None:
        floor = Floor().warm()
        effects = floor.pass_ms(400)
        rows = floor.of(RequestInference, effects)
        assert [row.trigger for row in rows] == [Trigger.GRID] * 4
        assert {row.ts_ns % (100 * MS) for row in rows} == {0}

    def test_are_asked_at_once_when_the_touch_changes(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(30)
        (row,) = floor.of(RequestInference, floor.ticker(BID, ASK, UNITS, UNITS // 2))
        assert row.trigger is Trigger.L1_CHANGE
        assert row.ts_ns == floor.now_ns + 1
        assert row.newest_recv_ns == floor.now_ns

    def test_are_asked_at_most_every_20_ms(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(30)
        first = floor.ticker(BID, ASK, UNITS, UNITS // 2)
        second = floor.ticker(BID, ASK, UNITS, UNITS // 3)
        assert len(floor.of(RequestInference, first)) == 1
        assert not floor.of(RequestInference, second)

    def test_carry_what_the_touch_has_been(self) -> None:
        rows = []
        for units in (UNITS // 2, UNITS // 3):
            floor = Floor().warm()
            floor.pass_ms(30)
            floor.ticker(BID, ASK, UNITS, units)
            floor.ticker(BID, ASK, UNITS, UNITS)
            rows.append(floor.of(RequestInference, floor.pass_ms(100))[-1])
        assert rows[0].row_e6 == rows[1].row_e6
        assert rows[0].touch_digest != rows[1].touch_digest

    def test_are_not_asked_for_without_a_model(self) -> None:
        floor = Floor(engine_params(model=None)).warm()
        assert not floor.of(RequestInference)
        assert floor.engine.counts()["features"] == 0


def test_an_old_ticker_changes_nothing() -> None:
    floor = Floor().warm()
    floor.ticker(BID - 5, ASK - 5)
    before = floor.state.desks["BTCUSDT"].confirmed_recv_ns
    floor.pass_ms(5)
    newest = floor.ticker_id
    floor.put(book_ticker(newest, (BID - 9, UNITS), (ASK - 9, UNITS), ts_ns=floor.now_ns))
    assert floor.book.l1[0] == BID - 5
    assert floor.state.desks["BTCUSDT"].confirmed_recv_ns == before


def test_symbols_of_others_are_counted_and_change_nothing() -> None:
    floor = Floor().warm()
    before = floor.engine.counts()
    floor.put(replace(depth_snapshot(5), symbol="XYZ"))
    floor.put(replace(depth_update(5, 6), symbol="XYZ"))
    floor.put(replace(book_ticker(5), symbol="XYZ"))
    floor.put(trade(100, 5, Side.BUY, floor.now_ns, symbol="XYZ"))
    floor.put(SymbolStatus("XYZ", False, "HALT", floor.now_ns))
    assert floor.engine.counts() == before
    assert floor.state.counters.unknown_symbols == 4


def test_refused_frames_are_one_alert_and_many_counts() -> None:
    floor = Floor()
    for n in range(50):
        floor.put(FrameRefused(RefusalReason.NOT_JSON, f"at byte {n}", floor.now_ns + n))
    floor.put(FrameRefused(RefusalReason.TOO_DEEP, "deep", floor.now_ns + 60))
    assert floor.engine.counts()["wire_errors"] == 51
    alerts = floor.alerts(AlertCode.FRAME_REFUSED)
    assert [alert.detail for alert in alerts] == ["NOT_JSON", "TOO_DEEP"]


def test_frames_of_no_use_are_counted() -> None:
    floor = Floor()
    floor.put(FrameIgnored("markPrice", floor.now_ns))
    assert floor.engine.counts()["ignored"] == 1


def test_the_charts_hold_a_minute_and_gaps_in_it() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(2_000)
    floor.p_up = None
    floor.pass_ms(3_000)
    picture = floor.picture()
    assert len(picture.chart.mid_half_ticks) == len(picture.score.path_e6) == POINTS
    assert picture.chart.mid_half_ticks[-1] == 0
    assert BID + ASK in picture.chart.mid_half_ticks
    assert picture.score.path_e6[-1] == NONE_E6
    assert 800_000 in picture.score.path_e6


@pytest.mark.parametrize("tradable", [True, False])
def test_a_symbol_the_venue_stopped_takes_no_order(tradable: bool) -> None:
    floor = Floor().warm()
    floor.put(SymbolStatus("BTCUSDT", tradable, "TRADING" if tradable else "HALT", floor.now_ns))
    floor.p_up = 0.9
    assert bool(floor.of(SubmitOrder, floor.busy_ms(300))) is tradable
    assert ("NOT_TRADABLE" in floor.engine.counts()["denied"]) is not tradable


def test_time_that_goes_back_moves_the_engine_nowhere() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(500)
    now = floor.state.now_ns
    floor.now_ns -= 30 * SECOND
    floor.update()
    floor.trade()
    floor.pass_ms(30)
    assert floor.state.now_ns == now

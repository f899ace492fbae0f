"""A session that begins where another ended: what is carried and asked, and what stays shut until then."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipeline.core.inputs import Command, GateChanged, OpenOrdersListed, OperatorCommand, OrderPathChanged
from pipeline.core.order import client_order_id
from pipeline.core.types import Authority, Fees, OrderState, Side, TradingState, VenueMode
from pipeline.runtime.venue_state import Phase
from tests.fakes.restart_bench import RestartBench
from tests.fakes.venue_bench import BEST_ASK, BEST_BID, SESSION, stands
from widgets.alerts import in_sight

BTC = 10**8
FEES = Fees(1_000, 2_000, "venue")


def lots_to_e8(bench: RestartBench, lots: int) -> int:
    one = bench.instrument
    return lots * one.lot_units * 10**8 // int(10**one.size_decimals)


def authority(bench: RestartBench, wanted: Authority) -> OperatorCommand:
    return OperatorCommand(
        Command.SET_AUTHORITY, "ada", "", "BTCUSDT", 0, 0, bench.now_ns, authority=int(wanted)
    )


def killed(bench: RestartBench) -> GateChanged:
    return GateChanged(False, True, ("console",), "ada", "kill", 1, bench.now_ns)


def cancel_at_venue(bench: RestartBench, client_order_id: str) -> None:
    order = bench.exchange.orders.by_client_id(bench.account.owner, "BTCUSDT", client_order_id)
    assert order is not None
    bench.exchange.cancel(order, bench.venue_ns)
    bench.market.publish("BTCUSDT", bench.venue_ns)


def bought(bench: RestartBench, lots: int = 3_000) -> None:
    bench.submit(Side.BUY, lots, BEST_ASK, takes=True)
    bench.pass_ms(200)


def first(mode: VenueMode = VenueMode.LIVE) -> RestartBench:
    bench = RestartBench(mode=mode)
    bench.pass_ms(1_000)
    assert bench.desk.phase is Phase.UP
    assert not bench.start.differs
    return bench


class TestNothingDiffers:
    def test_the_first_session_of_an_account_is_asked_nothing(self) -> None:
        bench = first()
        assert not bench.alerts("START_DIFFERS")
        assert bench.command(Command.RESUME) == "ACTIVE"

    def test_a_flat_restart_is_asked_nothing(self) -> None:
        bench = first()
        bench.again()
        assert bench.desk.phase is Phase.UP
        assert not bench.start.differs
        assert bench.command(Command.RESUME) == "ACTIVE"

    def test_a_position_is_carried_with_its_price_and_is_no_home_inventory(self) -> None:
        bench = first()
        bought(bench)
        position = bench.portfolio.position("BTCUSDT")
        average, day = position.avg_price_e8, position.cash_quote_e8
        bench.again()
        position = bench.portfolio.position("BTCUSDT")
        assert not bench.start.differs
        assert (position.lots, position.avg_price_e8, position.cash_quote_e8) == (3_000, average, day)
        assert bench.portfolio.home_lots("BTCUSDT") * lots_to_e8(bench, 1) == 10 * BTC
        assert position.fills == 0

    def test_it_is_carried_over_two_restarts_the_second_with_no_trade_between(self) -> None:
        bench = first()
        bought(bench)
        bench.again()
        bench.again()
        assert bench.portfolio.position("BTCUSDT").lots == 3_000
        assert not bench.start.differs

    def test_an_order_that_was_cancelled_meanwhile_asks_nothing(self) -> None:
        bench = first()
        order = bench.submit()
        bench.pass_ms(100)
        bench.crash()
        cancel_at_venue(bench, order)
        bench.restart()
        bench.pass_ms(4_000)
        assert not bench.start.differs
        assert bench.state(order) is OrderState.CANCELED

    def test_the_loss_of_the_day_goes_on_where_it_stood(self) -> None:
        bench = first()
        bought(bench, 3_000)
        bench.submit(Side.SELL, 3_000, BEST_BID, takes=True)
        bench.pass_ms(200)
        lost = bench.portfolio.day_quote_e8
        assert lost < 0
        bench.again()
        assert bench.portfolio.day_quote_e8 == lost


class TestOrdersLeft:
    def left(self, mode: VenueMode = VenueMode.LIVE) -> tuple[RestartBench, str]:
        bench = first(mode)
        bench.command(Command.RESUME)
        order = bench.submit()
        bench.pass_ms(100)
        bench.again()
        return bench, order

    def test_one_that_stands_is_asked_about_and_touched_by_nobody(self) -> None:
        bench, order = self.left()
        assert bench.open_ids() == [order]
        assert bench.start.differs
        assert bench.start.orders == {order: True}
        (alert,) = bench.alerts("START_DIFFERS")
        assert alert.values == (1, 0, 0)
        assert bench.state(order) is OrderState.ACCEPTED

    def test_nothing_is_armed_before_it_is_settled(self) -> None:
        bench, _ = self.left()
        assert ":adopt" in bench.command(Command.RESUME)
        assert bench.engine.trading_state is TradingState.HALTED
        bench.put(authority(bench, Authority.AUTO))
        assert bench.engine.authority is Authority.OBSERVE
        assert bench.command(Command.PERMIT_ONCE) == "UNRECONCILED"
        assert bench.command(Command.PERMIT_WINDOW) == "UNRECONCILED"

    def test_adopted_it_works_on_as_ours(self) -> None:
        bench, order = self.left()
        assert bench.command(Command.ADOPT) == "adopted"
        assert not bench.start.differs
        assert bench.engine.trading_state is TradingState.HALTED
        assert bench.command(Command.RESUME) == "ACTIVE"
        bench.street(Side.SELL, 6_000)
        bench.pass_ms(200)
        assert bench.state(order) is OrderState.FILLED
        assert bench.agrees()

    def test_cancelled_it_is_gone_and_the_session_goes_on(self) -> None:
        bench, order = self.left()
        assert bench.command(Command.CANCEL_EARLIER) == "1 earlier orders are being cancelled"
        bench.pass_ms(300)
        assert bench.state(order) is OrderState.CANCELED
        assert not bench.start.differs
        assert len(bench.alerts("START_SETTLED")) == 1

    def test_cancelled_by_hand_it_is_settled_as_well(self) -> None:
        bench, _ = self.left()
        bench.command(Command.CANCEL_ALL)
        bench.pass_ms(300)
        assert not bench.start.differs

    @pytest.mark.parametrize("settles", [Command.ADOPT, Command.CANCEL_EARLIER])
    def test_in_sim_it_stays_halted_once_it_is_settled_until_a_person_resumes(self, settles: Command) -> None:
        bench, _ = self.left(VenueMode.SIM)
        assert ":adopt" in bench.command(Command.RESUME)
        bench.command(settles)
        bench.pass_ms(500)
        assert not bench.start.differs
        bench.put(OrderPathChanged(False, "cut", bench.now_ns))
        bench.put(OrderPathChanged(True, "reconciled", bench.now_ns))
        assert bench.engine.trading_state is TradingState.HALTED
        assert bench.command(Command.RESUME) == "ACTIVE"

    def test_the_order_path_says_what_waits_and_the_difference_stays_in_sight(self) -> None:
        bench, _ = self.left()
        alert = bench.alerts("ORDER_PATH_UP")[-1]
        assert alert.detail == "1 difference waits for :adopt or :cancel-earlier"
        (shown,) = in_sight(bench.engine.state.alerts.views(10), 1)
        assert shown.code == "START_DIFFERS"

    def test_without_a_journal_it_is_one_no_books_know(self) -> None:
        bench = first()
        order = bench.submit()
        bench.pass_ms(100)
        bench.crash()
        bench.restart(reads=False)
        bench.pass_ms(4_000)
        assert bench.start.orders == {order: False}
        assert bench.open_ids() == [order]

    def test_one_that_shows_only_later_shuts_the_session_again(self) -> None:
        bench = first()
        bench.command(Command.RESUME)
        stray = client_order_id(SESSION - 1, 9)
        stands(bench, stray)
        bench.pass_ms(2_500)
        assert bench.engine.trading_state is TradingState.HALTED
        assert bench.start.orders == {stray: False}

    def test_a_kill_cancels_them_without_being_asked(self) -> None:
        bench, order = self.left()
        bench.put(killed(bench))
        bench.pass_ms(500)
        assert bench.state(order) is OrderState.CANCELED
        assert not bench.open_ids()
        assert bench.of(OpenOrdersListed)

    def test_a_commands_second_time_says_that_nothing_is_left(self) -> None:
        bench, _ = self.left()
        bench.command(Command.ADOPT)
        assert "balance" in bench.command(Command.ADOPT)
        assert "balance" in bench.command(Command.CANCEL_EARLIER)

    def test_one_on_a_symbol_this_session_does_not_trade_is_said(self) -> None:
        bench, order = self.left()
        bench.crash()
        books = bench.folded()
        assert books is not None
        elsewhere = replace(books.orders[0], symbol="ETHUSDT")
        bench.number += 1
        bench.begin(bench.number, replace(books, orders=(elsewhere,)))
        bench.pass_ms(4_000)
        assert bench.start.trouble == "left on symbols not in this session: ETHUSDT"
        assert bench.start.orders == {order: False}
        bench.command(Command.ADOPT)
        assert not bench.start.differs

    def test_a_session_that_starts_killed_cancels_them_unasked(self) -> None:
        bench, order = self.left()
        bench.crash()
        bench.restart()
        bench.put(killed(bench))
        kill = bench.engine.state.kill
        assert kill is not None
        assert kill.ours_total == 1
        bench.pass_ms(4_000)
        assert bench.state(order) is OrderState.CANCELED
        assert not bench.start.differs
        assert bench.engine.trading_state is TradingState.KILLED


class TestMissedFills:
    def test_one_of_an_order_that_rested_is_found_counted_once_and_asked_about(self) -> None:
        bench = first()
        order = bench.submit(lots=4_000, ticks=BEST_BID + 1)
        bench.pass_ms(100)
        bench.crash()
        bench.street(Side.SELL, 1_500)
        bench.restart()
        bench.pass_ms(4_000)
        assert bench.start.missed == {"BTCUSDT": (1, 1_500)}
        assert bench.start.orders == {order: True}
        assert bench.agrees()
        bench.command(Command.ADOPT)
        assert not bench.start.differs

    def test_cancelling_alone_does_not_settle_it(self) -> None:
        bench = first()
        bench.submit(lots=4_000, ticks=BEST_BID + 1)
        bench.pass_ms(100)
        bench.crash()
        bench.street(Side.SELL, 1_500)
        bench.restart()
        bench.pass_ms(4_000)
        bench.command(Command.CANCEL_EARLIER)
        bench.pass_ms(500)
        assert not bench.open_ids()
        assert bench.start.differs
        assert "adopt" in bench.command(Command.CANCEL_EARLIER)
        bench.command(Command.ADOPT)
        assert not bench.start.differs

    def test_nobody_adopted_it_and_the_next_session_asks_again(self) -> None:
        bench = first()
        bench.submit(lots=1_000, ticks=BEST_BID + 1)
        bench.pass_ms(100)
        bench.crash()
        bench.street(Side.SELL, 1_000)
        bench.restart()
        bench.pass_ms(4_000)
        assert bench.start.missed
        bench.again()
        assert bench.start.differs
        assert "never adopted" in bench.start.trouble
        bench.command(Command.ADOPT)
        bench.again()
        assert not bench.start.differs
        assert bench.agrees()

    def test_a_fill_the_power_loss_took_from_the_journal_is_told_again_and_counts_once(self) -> None:
        bench = first()
        bench.submit(Side.BUY, 3_000, BEST_ASK, takes=True)
        bench.pass_ms(50)
        bench.crash(lost_records=1_000)
        bench.restart()
        bench.pass_ms(4_000)
        assert bench.start.missed == {"BTCUSDT": (1, 3_000)}
        assert bench.agrees()


class TestBalance:
    def test_coins_nothing_explains_are_told_and_adopted_as_home(self) -> None:
        bench = first()
        bought(bench)
        bench.crash()
        bench.account.free["BTC"] += 2 * BTC
        bench.restart()
        bench.pass_ms(4_000)
        (one,) = bench.start.differ
        assert one.found_e8 - one.expected_e8 == 2 * BTC
        assert bench.portfolio.position("BTCUSDT").lots == 3_000
        assert "compared again" in bench.command(Command.ADOPT)
        bench.pass_ms(3_000)
        assert not bench.start.differs
        assert bench.portfolio.home_lots("BTCUSDT") * lots_to_e8(bench, 1) == 12 * BTC
        assert bench.portfolio.position("BTCUSDT").lots == 3_000
        bench.again()
        assert not bench.start.differs

    def test_it_stays_shut_when_nobody_adopts(self) -> None:
        bench = first()
        bench.crash()
        bench.account.free["BTC"] -= BTC
        bench.restart()
        bench.pass_ms(30_000)
        assert bench.start.differs
        assert not bench.alerts("POSITION_BREAK")
        assert ":adopt" in bench.command(Command.RESUME)

    def test_commissions_taken_in_coins_are_explained(self) -> None:
        bench = RestartBench(fees=FEES)
        bench.pass_ms(1_000)
        bought(bench)
        bench.again()
        assert not bench.start.differs
        assert bench.portfolio.position("BTCUSDT").lots == 3_000


@pytest.mark.parametrize("trouble", ["record 7 is damaged"])
def test_books_that_are_not_whole_are_asked_about(trouble: str) -> None:
    bench = first()
    bought(bench)
    bench.crash()
    books = bench.folded(trouble)
    bench.number += 1
    bench.begin(bench.number, books)
    bench.pass_ms(4_000)
    assert bench.start.differs
    (alert,) = bench.alerts("START_DIFFERS")
    assert alert.detail == trouble
    bench.command(Command.ADOPT)
    assert not bench.start.differs

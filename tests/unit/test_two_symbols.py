"""Two symbols in one session: what is held, permitted or offered elsewhere is named and in its own scales."""

from __future__ import annotations

from msgspec.structs import replace

from app.account_lines import account_lines
from app.gate_picture import live_orders
from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import Command, WindowTerms
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.snapshot import AlertView, ConsoleSnapshot, InstrumentView, OtherSymbol
from pipeline.core.types import Authority, OrderState, Severity, Side
from pipeline.core.view import build_snapshot
from tests.fakes.engines import SECOND, Floor, engine_params, two_symbols
from tests.fakes.snapshots import E8, killed_snapshot, make_snapshot, order, permits, proposal
from tests.fakes.trading import ASK, BID
from widgets.alerts import alert_line
from widgets.banner import kill_line
from widgets.blotter import narrow_columns, wide_columns
from widgets.card import card_lines, short_card
from widgets.header_items import others_item, position_item
from widgets.lines import line_text
from widgets.lost import held_words
from widgets.permits import permit_lines
from widgets.scales import scales_of

ETH = InstrumentView("binance-spot", "ETHUSDT", "ETH", "USDT", 2, 1, 8, 10_000, 4)
SHORT = OtherSymbol(ETH, -70, 500 * E8, 1, False)


def elsewhere(snapshot: ConsoleSnapshot, *others: OtherSymbol) -> ConsoleSnapshot:
    return replace(snapshot, others=others or (SHORT,))


def seen_from_the_other_symbol(floor: Floor) -> ConsoleSnapshot:
    facts = RuntimeFacts(session="s", operator="o", consoles=1)
    return build_snapshot(floor.engine, "ETHUSDT", 1, floor.now_ns, facts)


def floor_of_two(**params: object) -> Floor:
    return Floor(engine_params(instruments=two_symbols(), **params)).warm(0.9)


def test_the_picture_carries_position_orders_and_scales_of_the_symbols_not_shown() -> None:
    floor = floor_of_two(execution=ExecutionParams(entry=EntryStyle.CROSS))
    floor.busy_ms(300)
    shown = seen_from_the_other_symbol(floor)
    (other,) = shown.others
    assert (shown.instrument.symbol, shown.position.lots) == ("ETHUSDT", 0)
    assert (other.instrument.symbol, other.lots) == ("BTCUSDT", floor.position)
    assert other.notional_quote_e8 == shown.header.gross_quote_e8 > 0
    assert other.orders == len(floor.state.orders.live("BTCUSDT"))


def test_a_kill_gives_the_shown_symbols_own_position() -> None:
    floor = floor_of_two(execution=ExecutionParams(entry=EntryStyle.CROSS))
    floor.busy_ms(300)
    floor.close_gate(latch=True)
    kill = seen_from_the_other_symbol(floor).kill
    assert kill is not None
    assert floor.position != 0
    assert (kill.position_lots, kill.position_quote_e8) == (0, 0)


def test_a_window_of_another_symbol_is_named_in_picture_and_header() -> None:
    floor = floor_of_two(authority=Authority.AUTO)
    terms = WindowTerms((Side.BUY, Side.SELL), 500, 800, 20, 5 * E8, 0, BID - 100, ASK + 100, 221 * SECOND)
    floor.command(Command.PERMIT_WINDOW, terms=terms, symbol="BTCUSDT")
    shown = seen_from_the_other_symbol(floor)
    assert {permit.symbol for permit in shown.permits} == {"BTCUSDT"}
    assert shown.header.window.startswith("BTCUSDT both ")
    assert floor.picture().header.window.startswith("both ")


def test_the_banner_names_the_other_symbol_with_its_own_lot_and_base() -> None:
    killed = killed_snapshot()
    assert killed.kill is not None
    flat = replace(killed.kill, position_lots=0, position_quote_e8=0)
    words = line_text(kill_line(flat, elsewhere(killed), 200))
    assert "YOUR POSITION STAYS: -0.0070 ETH SHORT = 500 USDT" in words


def test_the_banner_names_all_positions_and_their_gross_or_the_largest_and_how_many_more() -> None:
    killed = killed_snapshot()
    assert killed.kill is not None
    both = elsewhere(killed)
    wide, narrow = (line_text(kill_line(killed.kill, both, width)) for width in (200, 80))
    base = killed.instrument.base
    assert f" {base} LONG, -0.0070 ETH SHORT = 1,784 USDT gross" in wide
    assert f" {base} LONG and 1 more = 1,784 USDT gross" in narrow
    assert "ETH" not in narrow


def test_the_header_marks_what_is_open_elsewhere_only() -> None:
    assert line_text(others_item(elsewhere(make_snapshot()), wide=True)) == "others 1 open"
    assert others_item(elsewhere(make_snapshot(), replace(SHORT, lots=0, orders=0)), wide=True) == ()
    assert others_item(elsewhere(make_snapshot(), replace(SHORT, lots=0)), wide=True) != ()


def test_leaving_and_a_lost_session_list_every_position_and_all_orders() -> None:
    snapshot = elsewhere(make_snapshot(), replace(SHORT, orders=3))
    lines = account_lines(snapshot)
    assert "position -0.0070 ETH SHORT = 500.00 USDT" in lines
    assert lines[0].startswith("position ")
    assert snapshot.instrument.base in lines[0]
    assert lines[-1] == f"our working orders: {live_orders(make_snapshot()) + 3} (3 on ETHUSDT)"
    assert "-0.0070 ETH SHORT" in held_words(snapshot)


def test_a_permit_of_another_symbol_names_it_in_its_own_scales() -> None:
    snapshot = elsewhere(make_snapshot())
    permit = replace(permits()[1], symbol="ETHUSDT", qty_lots=70, worst_ticks=301_234)
    words = line_text(permit_lines(permit, snapshot, 90)[0])
    assert "ETHUSDT" in words
    assert "0.0070" in words
    assert "3,012.34" in words
    own = replace(permit, symbol=snapshot.instrument.symbol)
    assert snapshot.instrument.symbol not in line_text(permit_lines(own, snapshot, 90)[0])


def test_cards_of_another_symbol_are_in_its_own_scales() -> None:
    snapshot = elsewhere(make_snapshot())
    card = replace(proposal(), symbol="ETHUSDT", qty_lots=70, worst_ticks=301_234)
    view = scales_of(snapshot, card.symbol)
    for height in (6, 12):
        lines = card_lines(card, view, 60, height, selected=False, elsewhere=True)
        words = " ".join(map(line_text, lines))
        assert "0.0070 " in words
        assert "3,012.34" in words
        assert "ETHUSDT" in words
        assert "lots" not in words
    assert "0.0070 ETHUSDT" in line_text(short_card(card, view, 60))


def test_orders_of_another_symbol_are_in_its_own_scales_and_named() -> None:
    snapshot = elsewhere(make_snapshot())
    row = replace(
        order(9, OrderState.ACCEPTED, Side.SELL, 301_234), symbol="ETHUSDT", qty_lots=70, price_ticks=301_234
    )
    for line in (narrow_columns(row, snapshot, 60), wide_columns(row, snapshot, 150)):
        words = line_text(line)
        assert "0.0070" in words
        assert "3,012.34" in words
        assert "ETHUSDT" in words
        assert "#" not in words
        assert "tick" not in words


def test_an_alert_of_another_symbol_is_said_in_its_own_scales() -> None:
    shown = elsewhere(make_snapshot())
    filled = AlertView(1, shown.ts_ns, "ORDER_FILLED", Severity.INFO, "ETHUSDT", "c1", (-70, 312_345), "")
    assert "ETHUSDT filled -0.0070 at 3,123.45" in line_text(alert_line(filled, shown, 120))
    unknown = replace(filled, symbol="SOLUSDT")
    assert "SOLUSDT filled -70 lots at tick 312345" in line_text(alert_line(unknown, shown, 120))


def test_dust_is_said_wherever_a_position_is() -> None:
    killed = killed_snapshot()
    assert killed.kill is not None
    dusty = replace(killed, position=replace(killed.position, dust=True))
    words = line_text(kill_line(killed.kill, dusty, 200))
    assert "+0.020 BTC LONG (dust) = 1,284 USDT" in words
    assert "dust is less than the venue takes: it stays" in words
    assert "UNMANAGED" not in words
    assert "LONG dust" in line_text(position_item(dusty, wide=True))
    there = elsewhere(replace(killed, position=replace(killed.position, lots=0)), replace(SHORT, dust=True))
    flat = replace(killed.kill, position_lots=0, position_quote_e8=0)
    assert "-0.0070 ETH SHORT (dust)" in line_text(kill_line(flat, there, 200))


def test_position_without_an_exit_is_called_unmanaged_in_the_banner() -> None:
    killed = killed_snapshot()
    assert killed.kill is not None
    assert "UNMANAGED: no exit rests" in line_text(kill_line(killed.kill, killed, 200))

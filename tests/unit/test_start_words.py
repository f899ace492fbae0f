"""What is not settled from before, in words: the summary's part, its lines, and the screen's two."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.core.inputs import Command
from pipeline.core.snapshot import AlertView, StartView
from pipeline.core.start_view import start_summary, start_view
from pipeline.core.types import Severity, Side
from pipeline.runtime.start_words import HOW, start_lines
from tests.fakes.restart_bench import RestartBench
from tests.fakes.snapshots import killed_snapshot, make_snapshot
from tests.fakes.venue_bench import BEST_BID
from widgets.lines import line_text, line_width
from widgets.start import choice_line, left_line
from widgets.status import StatusPanel
from widgets.terse import Chrome, terse_lines
from widgets.words import alert_words

LEFT = StartView(
    session="binance-btcusdt-3",
    orders_known=2,
    orders_unknown=1,
    missed=(("BTCUSDT", 1, "+0.01500"),),
    balances=(("BTCUSDT", "10.02000000", "12.02000000"),),
    held=(("BTCUSDT", "+0.02000"),),
    trouble="",
    canceling=False,
)


def left_over() -> RestartBench:
    """A session that found an order standing, a missed fill and coins from nowhere."""
    bench = RestartBench()
    bench.pass_ms(1_000)
    bench.submit(lots=4_000, ticks=BEST_BID + 1)
    bench.pass_ms(100)
    bench.crash()
    bench.street(Side.SELL, 1_500)
    bench.account.free["BTC"] += 2 * 10**8
    bench.restart()
    bench.pass_ms(4_000)
    return bench


def test_the_summary_has_each_thing_exactly() -> None:
    bench = left_over()
    found: dict[str, Any] = start_summary(bench.engine.state)
    (order,) = found["orders"]
    assert (found["session"], found["compared"], found["differs"]) == ("before", True, True)
    assert (order["symbol"], order["side"], order["known"]) == ("BTCUSDT", "BUY", True)
    assert (order["qty"], order["filled"]) == ("0.04000", "0.01500")
    assert found["missed"] == [{"symbol": "BTCUSDT", "fills": 1, "qty": "+0.01500"}]
    assert found["balances"] == [{"symbol": "BTCUSDT", "expected": "10.01500000", "found": "12.01500000"}]


def test_without_books_taken_over_nothing_is_said_of_journals() -> None:
    """A session with an exchange of its own takes none over, however sound its journal is."""
    lines = start_lines({**start_summary(left_over().engine.state), "session": ""})
    assert lines[0] == "UNRECONCILED: what was left before is not settled (no earlier books were taken over)"
    assert "left before, no earlier books" in line_text(left_line(replace(LEFT, session=""), 120))
    view = AlertView(1, 1, "START_DIFFERS", Severity.CRITICAL, "", "", (1, 0, 0), "", 0)
    words = alert_words(view, make_snapshot().instrument)
    assert words.startswith("not settled, no earlier books: 1 orders, 0 missed fills")


def test_lines_name_each_thing_and_what_to_do() -> None:
    lines = start_lines(start_summary(left_over().engine.state))
    assert lines[0] == "UNRECONCILED: what was left before is not settled (from before)"
    assert "BUY 0.04000 at 64000.01, filled 0.01500, in its journal" in lines[1]
    assert lines[2:] == [
        "missed    BTCUSDT 1 fills of +0.01500 its journal does not have",
        "balance   BTCUSDT expected 10.01500000, found 12.01500000",
        HOW,
    ]


def test_there_is_no_line_and_no_view_where_nothing_differs() -> None:
    bench = left_over()
    bench.command(Command.CANCEL_EARLIER)
    bench.pass_ms(500)
    bench.command(Command.ADOPT)
    bench.pass_ms(3_000)
    assert start_lines(start_summary(bench.engine.state)) == []
    assert start_view(bench.engine.state) is None


def test_the_screen_says_what_was_left_and_how_it_is_settled() -> None:
    assert line_text(left_line(LEFT, 160)) == (
        " UNRECONCILED  left by binance-btcusdt-3  orders 3, 1 in no journal  "
        "missed BTCUSDT 1 fills +0.01500  position BTCUSDT +0.02000"
    )
    assert line_text(choice_line(LEFT, 160)) == (
        " BTCUSDT has 12.02000000, books 10.02000000   :adopt as found  :cancel-earlier  "
        "nothing is armed before"
    )


def test_cancelling_is_said_and_what_cannot_be_cancelled_is_not_offered() -> None:
    assert "cancelling" in line_text(choice_line(replace(LEFT, canceling=True), 160))
    bare = replace(LEFT, orders_known=0, orders_unknown=0)
    assert ":cancel-earlier" not in line_text(choice_line(bare, 160))
    assert "orders" not in line_text(left_line(bare, 160))


def test_the_smallest_full_screen_still_shows_what_the_account_holds() -> None:
    assert "has 12.02000000, books 10.02000000" in line_text(choice_line(LEFT, 80))


@pytest.mark.parametrize("width", [40, 80, 116, 160])
def test_it_fits_and_never_loses_the_word_and_the_way_out(width: int) -> None:
    left, choice = left_line(LEFT, width), choice_line(LEFT, width)
    assert max(line_width(left), line_width(choice)) <= width
    assert "UNRECONCILED" in line_text(left)
    assert ":adopt" in line_text(choice)


@pytest.mark.parametrize("width", [80, 160])
def test_the_header_shows_it_and_a_kill_goes_before_it(width: int) -> None:
    panel = StatusPanel()
    lines = panel.content(replace(make_snapshot(), start=LEFT), width, 3)
    assert "UNRECONCILED" in line_text(lines[1])
    lines = panel.content(replace(killed_snapshot(), start=LEFT), width, 3)
    assert not any("UNRECONCILED" in line_text(line) for line in lines)


def test_a_small_header_says_it_as_well() -> None:
    chrome = Chrome(kill_key="^K", clock=())
    lines = terse_lines(replace(make_snapshot(), start=LEFT), chrome, 40, 14)
    assert "UNRECONCILED" in " ".join(line_text(line) for line in lines)

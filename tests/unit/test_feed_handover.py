"""Two connections of one route for a while: what passes, what is a repeat, when the old one may go."""

from __future__ import annotations

from pipeline.core.params import SECOND
from pipeline.runtime.feed_handover import Handover
from tests.fakes.feeds import depth_frame, message, ticker_frame, trade_frame

BEGAN = 100 * SECOND
DEPTH, TRADE, TICKER = b"btcusdt@depth@100ms", b"btcusdt@trade", b"btcusdt@bookTicker"


def handover(depth: int = 10, trade: int = 5) -> Handover:
    return Handover({DEPTH: depth_frame(depth), TRADE: trade_frame(trade)}, BEGAN)


def usdm_frame(previous: int, last: int) -> bytes:
    return message(
        "btcusdt@depth@0ms", f'{{"e":"depthUpdate","U":{last},"u":{last},"pu":{previous},"b":[],"a":[]}}'
    )


def test_the_old_connection_goes_on_until_the_new_one_joins() -> None:
    both = handover()
    assert both.admits(DEPTH, depth_frame(11), rising=False)
    assert not both.has_moved(DEPTH)


def test_the_same_event_from_the_new_connection_is_a_repeat_and_moves_the_channel() -> None:
    both = handover()
    assert not both.admits(DEPTH, depth_frame(10), rising=True)
    assert both.has_moved(DEPTH)
    assert both.admits(DEPTH, depth_frame(11), rising=True)
    assert not both.admits(DEPTH, depth_frame(11), rising=False)


def test_the_very_next_event_from_the_new_connection_moves_the_channel() -> None:
    both = handover()
    assert both.admits(DEPTH, depth_frame(11), rising=True)
    assert both.has_moved(DEPTH)


def test_a_new_connection_that_is_ahead_waits_for_the_old_one_to_reach_it() -> None:
    both = handover()
    assert not both.admits(DEPTH, depth_frame(13), rising=True)
    assert [both.admits(DEPTH, depth_frame(number), rising=False) for number in (11, 12)] == [True, True]
    assert not both.has_moved(DEPTH)
    assert both.admits(DEPTH, depth_frame(13), rising=False)
    assert both.has_moved(DEPTH)
    assert both.admits(DEPTH, depth_frame(14), rising=True)


def test_a_new_connection_that_is_behind_catches_up_first() -> None:
    both = handover(depth=10)
    assert not both.admits(DEPTH, depth_frame(8), rising=True)
    assert both.admits(DEPTH, depth_frame(11), rising=False)
    assert [both.admits(DEPTH, depth_frame(number), rising=True) for number in (9, 10, 11)] == [False] * 3
    assert both.has_moved(DEPTH)


def test_a_chained_update_joins_only_what_ends_where_it_begins() -> None:
    stream = b"btcusdt@depth@0ms"
    both = Handover({stream: usdm_frame(8, 10)}, BEGAN)
    assert not both.admits(stream, usdm_frame(9, 12), rising=True)
    assert both.admits(stream, usdm_frame(10, 15), rising=True)
    assert both.has_moved(stream)


def test_a_ticker_needs_no_joining() -> None:
    both = Handover({TICKER: ticker_frame(10)}, BEGAN)
    assert both.admits(TICKER, ticker_frame(50), rising=True)
    assert not both.admits(TICKER, ticker_frame(40), rising=False)


def test_a_channel_nobody_has_heard_yet_begins_with_whoever_speaks() -> None:
    both = Handover({TRADE: b""}, BEGAN)
    assert both.admits(TRADE, trade_frame(77), rising=True)
    assert both.has_moved(TRADE)


def test_it_is_settled_when_every_channel_moved() -> None:
    both = handover()
    both.admits(DEPTH, depth_frame(11), rising=True)
    assert not both.is_settled(BEGAN + SECOND)
    both.admits(TRADE, trade_frame(6), rising=True)
    assert both.is_settled(BEGAN + SECOND)


def test_a_quiet_channel_holds_nothing_up_a_speaking_one_does() -> None:
    both = handover()
    both.admits(DEPTH, depth_frame(11), rising=True)
    assert both.is_settled(BEGAN + 3 * SECOND)
    both.admits(TRADE, trade_frame(6), rising=False)
    assert not both.is_settled(BEGAN + 60 * SECOND)


def test_what_is_no_event_passes_from_the_old_connection_only() -> None:
    both = handover()
    assert both.admits(DEPTH, b"garbage", rising=False)
    assert not both.admits(DEPTH, b"garbage", rising=True)
    assert both.admits(b"other", depth_frame(1), rising=False)
    assert not both.admits(b"other", depth_frame(1), rising=True)

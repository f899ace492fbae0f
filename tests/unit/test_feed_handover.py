"""Two connections of one route for a while: what passes, what is a repeat, when the old one may go."""

from __future__ import annotations

from pipeline.core.params import SECOND
from pipeline.runtime.feed_handover import MOST_EARLY, MOST_EARLY_BYTES, Handover
from tests.fakes.feeds import depth_frame, message, ticker_frame, trade_frame

BEGAN = 100 * SECOND
DEPTH, TRADE, TICKER = b"btcusdt@depth@100ms", b"btcusdt@trade", b"btcusdt@bookTicker"


def handover(depth: int = 10, trade: int = 5) -> Handover:
    return Handover({DEPTH: depth_frame(depth), TRADE: trade_frame(trade)}, BEGAN)


def usdm_frame(previous: int, last: int) -> bytes:
    return message(
        "btcusdt@depth@0ms", f'{{"e":"depthUpdate","U":{last},"u":{last},"pu":{previous},"b":[],"a":[]}}'
    )


def falling(both: Handover, stream: bytes, *frames: bytes) -> list[bytes]:
    """Give what passes while the old connection brings these."""
    return [passed for frame in frames for passed in both.take(stream, frame, rising=False)]


def rising(both: Handover, stream: bytes, *frames: bytes) -> list[bytes]:
    """Give what passes while the new connection brings these."""
    return [passed for frame in frames for passed in both.take(stream, frame, rising=True)]


def depths(first: int, last: int) -> list[bytes]:
    return [depth_frame(number) for number in range(first, last + 1)]


def test_the_old_connection_goes_on_until_the_new_one_joins() -> None:
    both = handover()
    assert falling(both, DEPTH, depth_frame(11)) == [depth_frame(11)]
    assert not both.has_moved(DEPTH)


def test_the_same_event_from_the_new_connection_is_a_repeat_and_moves_the_channel() -> None:
    both = handover()
    assert rising(both, DEPTH, depth_frame(10)) == []
    assert both.has_moved(DEPTH)
    assert rising(both, DEPTH, depth_frame(11)) == [depth_frame(11)]
    assert falling(both, DEPTH, depth_frame(11)) == []


def test_the_very_next_event_from_the_new_connection_moves_the_channel() -> None:
    both = handover()
    assert rising(both, DEPTH, depth_frame(11)) == [depth_frame(11)]
    assert both.has_moved(DEPTH)


def test_what_a_new_connection_brings_ahead_is_kept_until_the_old_one_reaches_it() -> None:
    both = handover()
    assert rising(both, DEPTH, *depths(13, 15)) == []
    assert falling(both, DEPTH, depth_frame(11)) == [depth_frame(11)]
    assert not both.has_moved(DEPTH)
    assert falling(both, DEPTH, depth_frame(12)) == depths(12, 15)
    assert both.has_moved(DEPTH)
    assert falling(both, DEPTH, *depths(13, 15)) == []
    assert rising(both, DEPTH, depth_frame(16)) == [depth_frame(16)]


def test_a_new_connection_that_stays_behind_goes_on_where_the_old_one_ended() -> None:
    both = handover(depth=10)
    assert rising(both, DEPTH, depth_frame(8)) == []
    assert both.has_moved(DEPTH)
    assert falling(both, DEPTH, *depths(11, 12)) == depths(11, 12)
    both.take(TRADE, trade_frame(6), rising=True)
    assert both.is_settled(BEGAN + SECOND)
    assert both.old_is_gone() == []
    assert not both.is_over
    assert rising(both, DEPTH, *depths(9, 13)) == [depth_frame(13)]
    assert both.is_over


def test_what_was_kept_passes_in_the_order_it_came_when_the_old_connection_dies() -> None:
    both = handover()
    assert rising(both, DEPTH, depth_frame(13)) == []
    assert rising(both, TRADE, trade_frame(9)) == []
    assert rising(both, DEPTH, depth_frame(14)) == []
    assert both.old_is_gone() == [depth_frame(13), trade_frame(9), depth_frame(14)]
    assert rising(both, DEPTH, *depths(14, 15)) == [depth_frame(15)]
    assert both.is_over


def test_a_hole_in_the_new_connection_is_filled_by_the_old_one() -> None:
    both = handover()
    assert rising(both, DEPTH, depth_frame(11), depth_frame(13)) == [depth_frame(11)]
    assert not both.has_moved(DEPTH)
    assert falling(both, DEPTH, *depths(11, 12)) == depths(12, 13)
    assert both.has_moved(DEPTH)


def test_of_what_is_ahead_only_the_newest_is_kept() -> None:
    both = handover()
    rising(both, DEPTH, *depths(13, 12 + MOST_EARLY + 8))
    assert both.dropped == 8
    assert falling(both, DEPTH, *depths(11, 20)) == depths(11, 12 + MOST_EARLY + 8)


def test_large_messages_ahead_are_kept_up_to_their_bound() -> None:
    both = handover()
    body = "x" * (MOST_EARLY_BYTES // 4)
    large = [
        message(DEPTH.decode(), f'{{"e":"depthUpdate","U":{n},"u":{n},"b":[],"a":[],"pad":"{body}"}}')
        for n in range(13, 20)
    ]
    assert rising(both, DEPTH, *large) == []
    assert both.dropped == 4
    assert both.old_is_gone() == large[4:]


def test_a_chained_update_joins_only_what_ends_where_it_begins() -> None:
    stream = b"btcusdt@depth@0ms"
    both = Handover({stream: usdm_frame(8, 10)}, BEGAN)
    assert rising(both, stream, usdm_frame(9, 12)) == []
    assert rising(both, stream, usdm_frame(10, 15)) == [usdm_frame(10, 15)]
    assert both.has_moved(stream)


def test_a_ticker_needs_no_joining() -> None:
    both = Handover({TICKER: ticker_frame(10)}, BEGAN)
    assert rising(both, TICKER, ticker_frame(50)) == [ticker_frame(50)]
    assert falling(both, TICKER, ticker_frame(40)) == []


def test_a_channel_nobody_has_heard_yet_begins_with_whoever_speaks() -> None:
    both = Handover({TRADE: b""}, BEGAN)
    assert rising(both, TRADE, trade_frame(77)) == [trade_frame(77)]
    assert both.has_moved(TRADE)


def test_it_is_settled_when_every_channel_moved() -> None:
    both = handover()
    rising(both, DEPTH, depth_frame(11))
    assert not both.is_settled(BEGAN + SECOND)
    rising(both, TRADE, trade_frame(6))
    assert both.is_settled(BEGAN + SECOND)


def test_a_quiet_channel_holds_nothing_up_a_speaking_one_does() -> None:
    both = handover()
    rising(both, DEPTH, depth_frame(11))
    assert both.is_settled(BEGAN + 3 * SECOND)
    falling(both, TRADE, trade_frame(6))
    assert not both.is_settled(BEGAN + 60 * SECOND)


def test_what_is_no_event_passes_from_the_old_connection_while_there_is_one() -> None:
    both = handover()
    assert falling(both, DEPTH, b"garbage") == [b"garbage"]
    assert rising(both, DEPTH, b"garbage") == []
    assert falling(both, b"other", depth_frame(1)) == [depth_frame(1)]
    assert rising(both, b"other", depth_frame(1)) == []
    both.old_is_gone()
    assert rising(both, DEPTH, b"garbage") == [b"garbage"]

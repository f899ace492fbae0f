"""However two connections of one venue lag behind each other, every event passes once and none is missed."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.runtime.feed_handover import Handover
from tests.fakes.feeds import depth_frame, trade_frame
from tests.unit.test_feed_handover import usdm_frame

DEPTH, TRADE, USDM = b"btcusdt@depth@100ms", b"btcusdt@trade", b"btcusdt@depth@0ms"


def chained_frame(number: int) -> bytes:
    return usdm_frame(10 * (number - 1), 10 * number)


KINDS: dict[bytes, Callable[[int], bytes]] = {DEPTH: depth_frame, TRADE: trade_frame, USDM: chained_frame}


@settings(max_examples=150)
@given(
    stream=st.sampled_from(list(KINDS)),
    joined_at=st.integers(1, 12),
    turns=st.lists(st.booleans(), min_size=10, max_size=80),
)
def test_events_pass_in_order_without_a_hole(stream: bytes, joined_at: int, turns: list[bool]) -> None:
    """The old connection stands at event 5; the new one's first event is `joined_at`."""
    frame = KINDS[stream]
    both = Handover({stream: frame(5)}, 0)
    old, new = 6, joined_at
    passed: list[int] = []
    for rising in turns:
        number = new if rising else old
        if both.admits(stream, frame(number), rising=rising):
            passed.append(number)
        if rising:
            new += 1
        elif not both.has_moved(stream) or old <= 200:
            old += 1
    assert passed == list(range(6, 6 + len(passed)))


@settings(max_examples=150)
@given(
    stream=st.sampled_from(list(KINDS)),
    joined_at=st.integers(1, 12),
    lag=st.integers(-4, 4),
    rounds=st.integers(20, 30),
)
def test_a_steady_lag_either_way_ends_with_the_channel_moved_once_a_quiet_moment_comes(
    stream: bytes, joined_at: int, lag: int, rounds: int
) -> None:
    """Both go on at the same pace, `lag` events apart; then the venue pauses and both get to the end."""
    frame = KINDS[stream]
    both = Handover({stream: frame(5)}, 0)
    old, new = 6, joined_at
    for turn in range(6, 6 + rounds):
        while old <= turn:
            both.admits(stream, frame(old), rising=False)
            old += 1
        while new <= turn + lag:
            both.admits(stream, frame(new), rising=True)
            new += 1
    last = max(old, new)
    for number in range(new, last):
        both.admits(stream, frame(number), rising=True)
    for number in range(old, last):
        both.admits(stream, frame(number), rising=False)
    assert both.has_moved(stream)

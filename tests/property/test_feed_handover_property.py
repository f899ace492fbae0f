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


class Two:
    """Two connections of a channel: the old stands at event 5, the new one's first event is `joined_at`."""

    def __init__(self, stream: bytes, joined_at: int) -> None:
        self.stream = stream
        self.both = Handover({stream: KINDS[stream](5)}, 0)
        self.old, self.new = 6, joined_at
        self.closed = False
        self.passed: list[int] = []
        self._numbers = {KINDS[stream](number): number for number in range(1, 200)}

    def old_brings_one(self) -> None:
        if not self.closed:
            self._take(self.old, rising=False)
            self.old += 1

    def new_brings_one(self) -> None:
        self._take(self.new, rising=True)
        self.new += 1

    def old_is_closed_once_moved(self) -> None:
        if self.both.has_moved(self.stream) and not self.closed:
            self.closed = True
            self.passed += [self._numbers[frame] for frame in self.both.old_is_gone()]

    def passed_once_and_in_order(self) -> bool:
        return self.passed == list(range(6, 6 + len(self.passed)))

    def _take(self, number: int, *, rising: bool) -> None:
        frame = KINDS[self.stream](number)
        self.passed += [self._numbers[one] for one in self.both.take(self.stream, frame, rising=rising)]


@settings(max_examples=200)
@given(
    stream=st.sampled_from(list(KINDS)),
    joined_at=st.integers(1, 12),
    turns=st.lists(st.sampled_from(["old", "new", "close"]), min_size=10, max_size=80),
)
def test_events_pass_in_order_without_a_hole(stream: bytes, joined_at: int, turns: list[str]) -> None:
    two = Two(stream, joined_at)
    for turn in turns:
        match turn:
            case "old":
                two.old_brings_one()
            case "new":
                two.new_brings_one()
            case _:
                two.old_is_closed_once_moved()
    assert two.passed_once_and_in_order()
    newest = max(two.old - 1, two.new - 1 if two.both.has_moved(stream) else 0, 5)
    assert two.passed == list(range(6, newest + 1)), "something neither missing nor early was held back"


@settings(max_examples=150)
@given(
    stream=st.sampled_from(list(KINDS)),
    joined_at=st.integers(1, 12),
    lag=st.integers(-6, 6),
    rounds=st.integers(20, 40),
)
def test_a_steady_lag_either_way_ends_with_the_channel_moved(
    stream: bytes, joined_at: int, lag: int, rounds: int
) -> None:
    """Both go on at the same pace, `lag` events apart, without a pause in which they could meet."""
    two = Two(stream, joined_at)
    for turn in range(6, 6 + rounds):
        while two.old <= turn:
            two.old_brings_one()
        while two.new <= turn + lag:
            two.new_brings_one()
    assert two.both.has_moved(stream)
    two.old_is_closed_once_moved()
    for _ in range(abs(lag) + 3):
        two.new_brings_one()
    assert two.passed_once_and_in_order()
    assert two.both.is_over

"""NO ORDERS LEFT is only said when it is so: the guard's sweep against a venue that loses and delays."""

from __future__ import annotations

import heapq
import json
import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.runtime.guard_asks import Ask, AskKind, Reply
from pipeline.runtime.guard_sweep import MS, Sweep
from pipeline.wire.http_text import HttpAnswerText

WINDOW_NS = 1_000 * MS
SETTLE_NS = WINDOW_NS + 200 * MS
SYMBOLS = ("BTCUSDT", "ETHUSDT")


class LossyVenue:
    """Answers in its own time; orders that left before the barrier still arrive inside recvWindow."""

    def __init__(self, seed: int, ours: int, foreign: int, underway: int, loss: float) -> None:
        self.chance = random.Random(seed)
        self.loss = loss
        self.open = {f"t{one}": self.chance.choice(SYMBOLS) for one in range(ours)}
        self.open |= {f"x{one}": self.chance.choice(SYMBOLS) for one in range(foreign)}
        self.arrivals = sorted((self.chance.randrange(WINDOW_NS), f"tlate{one}") for one in range(underway))
        self.canceled: list[str] = []

    def arrive(self, now_ns: int) -> None:
        while self.arrivals and self.arrivals[0][0] <= now_ns:
            self.open[self.arrivals.pop(0)[1]] = SYMBOLS[0]

    def answer(self, ask: Ask, now_ns: int) -> HttpAnswerText | None:
        self.arrive(now_ns)
        if self.chance.random() < self.loss:
            return self.chance.choice((None, HttpAnswerText(429, b"{}", 1, False)))
        if ask.kind is AskKind.CANCEL:
            self.open.pop(ask.client_order_id, None)
            self.canceled.append(ask.client_order_id)
            body = b"{}"
        else:
            rows = [{"symbol": s, "clientOrderId": one} for one, s in self.open.items() if s == ask.symbol]
            body = json.dumps(rows).encode()
        return None if self.chance.random() < self.loss else HttpAnswerText(200, body, 0, False)


def swept(venue: LossyVenue, help_ns: int = 0) -> tuple[Sweep, int]:
    """Run a sweep to its end, or for two minutes."""
    sweep = Sweep(SYMBOLS, "t", 0, SETTLE_NS, help_ns)
    under_way: list[tuple[int, int, Ask, int]] = []
    count = 0
    for now_ns in range(0, 120_000 * MS, 20 * MS):
        asks = sweep.step(now_ns)
        while under_way and under_way[0][0] <= now_ns:
            _, _, ask, asked_ns = heapq.heappop(under_way)
            reply = Reply(ask, venue.answer(ask, now_ns), asked_ns, now_ns)
            asks += sweep.take(reply)
        for ask in asks:
            count += 1
            heapq.heappush(under_way, (now_ns + venue.chance.randrange(300 * MS), count, ask, now_ns))
        if sweep.confirmed:
            venue.arrive(now_ns)
            return sweep, now_ns
    return sweep, -1


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    ours=st.integers(0, 12),
    foreign=st.integers(0, 3),
    underway=st.integers(0, 4),
    loss=st.sampled_from((0.0, 0.1, 0.25)),
)
@example(seed=1, ours=0, foreign=0, underway=1, loss=0.0)
def test_confirmed_zero_is_zero_and_foreign_orders_stay(
    seed: int, ours: int, foreign: int, underway: int, loss: float
) -> None:
    venue = LossyVenue(seed, ours, foreign, underway, loss)
    sweep, ended_ns = swept(venue)
    assert ended_ns >= SETTLE_NS
    assert not venue.arrivals
    assert all(one.startswith("x") for one in venue.open)
    assert len(venue.open) == foreign == sweep.foreign
    assert all(one.startswith("t") for one in venue.canceled)


def test_engine_that_acknowledged_is_left_to_cancel_until_the_guard_may_help() -> None:
    venue = LossyVenue(3, 4, 0, 0, 0.0)
    sweep, _ = swept(venue, help_ns=3_000 * MS)
    assert sweep.confirmed
    assert sweep.cancels_sent == 4


def test_venue_that_never_answers_is_never_zero() -> None:
    sweep, ended_ns = swept(LossyVenue(4, 0, 0, 0, 1.0))
    assert (sweep.confirmed, ended_ns, sweep.ours_left) == (False, -1, -1)

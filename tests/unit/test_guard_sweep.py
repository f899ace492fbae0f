"""A sweep heeds its own questions only: what an earlier one asked may be answered after it has begun."""

from __future__ import annotations

from pipeline.runtime.guard_asks import Ask, AskKind, Reply
from pipeline.runtime.guard_sweep import MS, Sweep
from pipeline.wire.http_text import HttpAnswerText

SETTLE_NS = 1_200 * MS
EMPTY = HttpAnswerText(200, b"[]", 0, False)
OURS = HttpAnswerText(200, b'[{"symbol":"BTCUSDT","clientOrderId":"t1"}]', 0, False)


def test_list_an_earlier_sweep_asked_for_is_no_zero_of_this_one() -> None:
    earlier = Sweep(("BTCUSDT",), "t", 0, SETTLE_NS, 0)
    (asked,) = earlier.step(0)
    sweep = Sweep(("BTCUSDT",), "t", 10 * MS, SETTLE_NS, 0, after=earlier)
    (first,) = sweep.step(10 * MS)
    assert sweep.take(Reply(asked, EMPTY, 0, 20 * MS)) == []
    assert sweep.ours_left == -1
    sweep.take(Reply(first, EMPTY, 10 * MS, 30 * MS))
    assert sweep.ours_left == 0
    (second,) = sweep.step(10 * MS + SETTLE_NS)
    sweep.take(Reply(second, EMPTY, 10 * MS + SETTLE_NS, 20 * MS + SETTLE_NS))
    assert sweep.confirmed


def test_cancel_an_earlier_sweep_asked_for_is_none_of_this_one() -> None:
    earlier = Sweep(("BTCUSDT",), "t", 0, SETTLE_NS, 0)
    (asked,) = earlier.step(0)
    (cancel,) = earlier.take(Reply(asked, OURS, 0, 5 * MS))
    assert cancel.kind is AskKind.CANCEL
    sweep = Sweep(("BTCUSDT",), "t", 10 * MS, SETTLE_NS, 0, after=earlier)
    (first,) = sweep.step(10 * MS)
    sweep.take(Reply(cancel, EMPTY, 5 * MS, 20 * MS))
    assert sweep.step(30 * MS) == []
    again: list[Ask] = sweep.take(Reply(first, EMPTY, 10 * MS, 30 * MS))
    assert again == []
    assert sweep.step(10 * MS + SETTLE_NS)

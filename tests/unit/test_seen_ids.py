"""Which events of a feed are repeats."""

from __future__ import annotations

from pipeline.core.inputs import Trade
from pipeline.core.seen import SeenIds
from pipeline.core.types import Side
from tests.fakes.engines import Floor
from tests.fakes.trading import BID


def test_an_id_is_new_once() -> None:
    seen = SeenIds()
    assert [seen.is_new(number) for number in (7, 8, 7, 8, 9)] == [True, True, False, False, True]


def test_an_event_that_was_overtaken_is_no_repeat() -> None:
    seen = SeenIds()
    assert [seen.is_new(number) for number in (9, 7, 8)] == [True, True, True]


def test_only_the_newest_are_remembered() -> None:
    seen = SeenIds(kept=2)
    for number in (1, 2, 3):
        seen.is_new(number)
    assert seen.is_new(1)
    assert not seen.is_new(3)


def test_a_print_that_comes_twice_is_taken_once() -> None:
    floor = Floor().warm()
    before = floor.engine.counts()
    for _ in range(2):
        floor.put(Trade("BTCUSDT", BID, 100_000, Side.SELL, 77, floor.now_ns, floor.now_ns))
    after = floor.engine.counts()
    assert after["trades"] == before["trades"] + 1
    assert after["ignored"] == before["ignored"] + 1

"""The dead-man switch: set only while the chain is healthy, and only where it can hit nobody else."""

from __future__ import annotations

import json

from pipeline.runtime.guard_asks import Ask, AskKind, Reply
from pipeline.runtime.guard_dead_man import FOREIGN, MS, DeadMan
from pipeline.wire.http_text import HttpAnswerText

SYMBOLS = ("BTCUSDT", "ETHUSDT")
SECOND = 1_000 * MS


def reply(ask: Ask, now_ns: int, ids: tuple[str, ...] = (), status: int = 200) -> Reply:
    body = json.dumps([{"symbol": ask.symbol, "clientOrderId": one} for one in ids]).encode()
    return Reply(ask, HttpAnswerText(status, body, 0, False), now_ns, now_ns)


def run(switch: DeadMan, now_ns: int, ids: tuple[str, ...] = (), *, healthy: bool = True) -> list[int]:
    """One turn with every request answered at once; give the countdowns that were set."""
    asks, found = switch.step(now_ns, healthy=healthy), []
    while asks:
        ask = asks.pop(0)
        if ask.kind is AskKind.COUNTDOWN:
            found.append(ask.countdown_ms)
        asks += switch.take(reply(ask, now_ns, ids), healthy=healthy)
    return found


def test_switch_is_refreshed_every_third_of_its_time_on_every_symbol() -> None:
    switch = DeadMan(SYMBOLS, "t", 60_000)
    assert switch.words(0) == "off"
    set_at = [second for second in range(61) if run(switch, second * SECOND)]
    assert set_at == [0, 20, 40, 60]
    assert switch.is_armed(119 * SECOND)
    assert not switch.is_armed(120 * SECOND)


def test_sick_chain_does_not_touch_the_switch() -> None:
    switch = DeadMan(SYMBOLS, "t", 60_000)
    assert run(switch, 0) == [60_000, 60_000]
    assert [run(switch, s * SECOND, healthy=False) for s in range(1, 100)] == [[]] * 99
    assert switch.words(99 * SECOND) == "off"


def test_chain_that_falls_ill_while_the_list_is_under_way_sets_nothing() -> None:
    switch = DeadMan(SYMBOLS, "t", 60_000)
    asks = switch.step(0, healthy=True)
    assert [switch.take(reply(ask, 0), healthy=False) for ask in asks] == [[], []]


def test_foreign_orders_hold_the_switch_back_and_ours_do_not() -> None:
    switch = DeadMan(SYMBOLS, "t", 60_000)
    assert run(switch, 0, ("t1", "x1")) == []
    assert switch.words(0) == FOREIGN
    assert run(switch, 20 * SECOND, ("t1",)) == [60_000, 60_000]
    assert switch.words(20 * SECOND) == "armed"


def test_list_that_fails_sets_nothing_and_is_asked_again_soon() -> None:
    switch = DeadMan(SYMBOLS, "t", 60_000)
    for ask in switch.step(0, healthy=True):
        assert switch.take(reply(ask, 0, status=500), healthy=True) == []
    assert run(switch, 2 * SECOND) == [60_000, 60_000]


def test_switch_is_stopped_only_if_it_may_have_been_set() -> None:
    switch = DeadMan(SYMBOLS, "t", 60_000)
    assert switch.stop() == []
    run(switch, 0)
    asks = switch.stop()
    assert [ask.countdown_ms for ask in asks] == [0, 0]
    for ask in asks:
        switch.take(reply(ask, SECOND), healthy=False)
    assert switch.words(SECOND) == "off"

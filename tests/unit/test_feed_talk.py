"""A venue that wants to be talked to, on a clock the test moves: subscriptions, heartbeat, books anew."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.bybit_market import book_frame, book_message, trade_frame
from tests.fakes.feeds import FakeSocket, RouteBench, depth_frame
from tests.fakes.market_builders import compact

DEPTH = "orderbook.200.BTCUSDT"
TRADES = "publicTrade.BTCUSDT"


def said(socket: FakeSocket) -> list[dict[str, Any]]:
    """Give what was said on a connection, and forget it."""
    messages = [json.loads(text) for text in socket.sent]
    socket.sent.clear()
    return messages


async def test_channels_are_subscribed_when_the_connection_opens_and_again_on_the_next() -> None:
    bench = RouteBench(venue="bybit-linear")
    socket = await bench.opened()
    assert socket.url == "ws://venue/v5/public/linear"
    wanted = [{"op": "subscribe", "args": [DEPTH, TRADES]}]
    assert said(socket) == wanted
    socket.end()
    await bench.pass_s(0.5)
    assert said(bench.venue.open[0]) == wanted


async def test_messages_are_told_by_their_topic_wherever_it_stands() -> None:
    bench = RouteBench(venue="bybit-spot", first_message_ms=1_000)
    socket = await bench.opened()
    message = book_message(1, kind="snapshot")
    socket.say(compact({key: message[key] for key in reversed(message)}))
    socket.say(b'{"success":true,"op":"subscribe"}')
    await bench.pass_s(1.2)
    assert bench.sink.said[-1] == (TRADES, False, "no message within 1 s"), "the book's channel has spoken"
    socket.say(trade_frame([("1", "Buy")], linear=False))
    await bench.pass_s(0.2)
    assert bench.sink.said[-1] == (TRADES, True, "")
    assert len(bench.sink.frames) == 3


async def test_a_heartbeat_is_said_every_twenty_seconds() -> None:
    bench = RouteBench(venue="bybit-linear")
    socket = await bench.opened()
    said(socket)
    pings: list[int] = []
    for second in range(1, 46):
        socket.say(book_frame(second, kind="snapshot"))
        await bench.pass_s(1)
        pings += [second for message in said(socket) if message == {"op": "ping"}]
    assert [round(second, -1) for second in pings] == [20, 40]


async def test_a_book_is_asked_for_anew_once_a_second_at_most() -> None:
    bench = RouteBench(venue="bybit-linear")
    socket = await bench.opened()
    said(socket)
    bench.route.renew("BTCUSDT", bench.route.epoch)
    renewal = [{"op": "unsubscribe", "args": [DEPTH]}, {"op": "subscribe", "args": [DEPTH]}]
    assert said(socket) == renewal
    await bench.pass_s(0.5)
    bench.route.renew("BTCUSDT", bench.route.epoch)
    assert said(socket) == []
    await bench.pass_s(0.6)
    bench.route.renew("BTCUSDT", bench.route.epoch)
    assert said(socket) == renewal
    assert bench.route.counts.renewals == 2


async def test_no_book_is_asked_for_on_a_connection_that_brings_its_own_or_is_gone() -> None:
    bench = RouteBench(venue="bybit-linear")
    socket = await bench.opened()
    said(socket)
    bench.route.renew("BTCUSDT", bench.route.epoch - 1)
    bench.route.renew("ETHUSDT", bench.route.epoch)
    assert said(socket) == []
    socket.end()
    bench.route.renew("BTCUSDT", bench.route.epoch)
    assert said(socket) == []
    assert bench.route.counts.renewals == 0


async def test_a_connection_that_is_never_cut_has_no_successor() -> None:
    bench = RouteBench(venue="bybit-linear", rotate_ms=2_000)
    socket = await bench.opened()
    for last in range(1, 9):
        socket.say(book_frame(last, kind="snapshot"))
        socket.say(b'{"e":"serverShutdown"}')
        await bench.pass_s(1)
    assert bench.venue.attempts == 1


async def test_a_venue_whose_channels_are_in_the_url_is_told_nothing() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    for last in range(1, 30):
        socket.say(depth_frame(last))
        await bench.pass_s(1)
    bench.route.renew("BTCUSDT", bench.route.epoch)
    assert socket.sent == []

"""Market streams of the simulated venue: subscribing, limits, goodbyes, routes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pipeline.core.types import BookState
from pipeline.sim.protocol.lifetimes import Lifetimes
from pipeline.sim.protocol.link import Link
from tests.fakes.sim_client import MS, FakeLink, SimClient
from tests.fakes.sim_market import SECOND, Follower


def kinds(link: FakeLink) -> set[str]:
    return {one["stream"].partition("@")[2] for one in link.take() if "stream" in one}


def test_combined_streams_come_in_envelopes() -> None:
    client = SimClient()
    link, _ = client.listen()
    client.run(2)
    assert kinds(link) == {"depth@100ms", "bookTicker", "trade"}


@pytest.mark.parametrize("path", ["/ws/btcusdt@bookTicker", "/ws/btcusdt%40bookTicker"])
def test_raw_streams_come_without(path: str) -> None:
    client = SimClient()
    link, _ = client.listen("", path)
    client.run(1)
    taken = link.take()
    assert taken
    assert {"u", "s", "b", "B", "a", "A"} == set(taken[0])


def test_our_own_book_follows_the_streams_from_a_snapshot_of_the_api() -> None:
    client = SimClient()
    link, _ = client.listen()
    follower = Follower()
    for step in range(60):
        client.run(0.1)
        if step == 7:
            follower.take(client.raw_depth(), client.now_ns)
        for frame in link.frames:
            follower.take(frame, client.now_ns)
        link.frames = []
    assert (follower.synced.state, follower.synced.gaps) == (BookState.SYNCED, 0)
    assert follower.synced.check.shared == follower.synced.check.equal > 3
    assert follower.others == []


def test_subscribing_later_and_leaving_again() -> None:
    client = SimClient()
    link, session = client.listen("", "/stream")

    def say(method: str, *params: object) -> Any:
        client.now_ns += 300 * MS
        client.venue.advance(client.now_ns)
        link.take()
        client.venue.receive(
            session,
            b'{"method":"%s","params":%s,"id":1}' % (method.encode(), msgspec.json.encode(params)),
            client.now_ns,
        )
        return link.take()[0]

    assert say("SUBSCRIBE", "btcusdt@bookTicker", "btcusdt@nothing") == {"result": None, "id": 1}
    assert say("LIST_SUBSCRIPTIONS")["result"] == ["btcusdt@bookTicker", "btcusdt@nothing"]
    client.run(1)
    assert kinds(link) == {"bookTicker"}
    assert say("GET_PROPERTY", "combined")["result"] is True
    say("SET_PROPERTY", "combined", False)
    client.run(1)
    assert all("stream" not in one for one in link.take())
    say("UNSUBSCRIBE", "btcusdt@bookTicker", "btcusdt@never")
    client.run(1)
    assert link.take() == []


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"nothing", 3),
        (b"[" * 5_000, 2),
        (b'{"method":3}', 2),
        (b'{"method":"DANCE","id":1}', 2),
        (b'{"method":"LIST_SUBSCRIPTIONS","id":"%s"}' % (b"x" * 37), 2),
        (b'{"method":"LIST_SUBSCRIPTIONS","id":9223372036854775808}', 2),
        (b'{"method":"LIST_SUBSCRIPTIONS","id":1.5}', 2),
        (b'{"method":"SUBSCRIBE","params":[3],"id":1}', 2),
        (b'{"method":"SET_PROPERTY","params":[],"id":1}', 2),
        (b'{"method":"SUBSCRIBE","params":["%s"],"id":1}' % (b"x" * 101), 2),
        (b'{"method":"SUBSCRIBE","params":[%s],"id":1}' % b",".join([b'"a"'] * 1_025), 2),
    ],
)
def test_what_is_no_request_is_refused(frame: bytes, code: int) -> None:
    client = SimClient()
    link, session = client.listen("", "/stream")
    client.venue.receive(session, frame, client.now_ns)
    assert link.take()[0]["code"] == code


def test_who_talks_too_much_is_shown_out() -> None:
    client = SimClient()
    link, session = client.listen()
    for _ in range(5):
        client.venue.receive(session, b'{"method":"LIST_SUBSCRIPTIONS","id":1}', client.now_ns)
    assert link.closed is None
    client.venue.receive(session, b'{"method":"LIST_SUBSCRIPTIONS","id":1}', client.now_ns)
    assert link.closed == (1_008, "Too many requests")


@pytest.mark.parametrize(
    "path", ["/", "/other", "/stream/x", "/ws-api/v4", "/public/stream", "/private/ws", "/ws-fapi/v1"]
)
def test_nothing_is_at_other_paths(path: str) -> None:
    client = SimClient()
    assert client.venue.open(FakeLink(), path, "", client.now_ns) is None


def test_who_left_is_forgotten() -> None:
    client = SimClient()
    link, session = client.listen()
    client.venue.leave(session)
    client.run(1)
    assert link.frames == []
    assert not client.venue.hub.wants("btcusdt@trade")


def test_connections_end_after_their_time_and_are_told_before() -> None:
    client = SimClient(lifetime_ns=10 * SECOND, notice_ns=3 * SECOND)
    market, _ = client.listen()
    raw, _ = client.listen("", "/ws/btcusdt@depth")
    client.run(6.9)
    assert all("serverShutdown" not in frame.decode() for frame in market.frames)
    client.run(0.2)
    assert {
        "stream": "!serverShutdown",
        "data": {"e": "serverShutdown", "E": client.now_ms - 100},
    } in market.take()
    assert "serverShutdown" in raw.frames[-1].decode()
    assert client.link.take()[-1]["event"]["e"] == "serverShutdown"
    assert market.closed is None
    client.run(3)
    assert market.closed == raw.closed == client.link.closed == (1_001, "connection lifetime reached")


def test_a_life_without_notice_still_ends() -> None:
    link = FakeLink()

    class One:
        def __init__(self) -> None:
            self.link: Link = link
            self.warned = 0

        def say_goodbye(self, now_ns: int) -> None:
            self.warned += now_ns > 0

    lives, one = Lifetimes(lifetime_ns=5, notice_ns=50), One()
    lives.begin(one, 10)
    assert lives.next_ns == 10
    lives.advance(10)
    assert one.warned == 1
    assert lives.next_ns == 15
    lives.advance(15)
    assert link.closed is not None
    assert not lives.next_ns
    lives.forget(one)


def test_virtual_time_may_not_run_backwards_but_nothing_breaks() -> None:
    client = SimClient()
    client.run(1)
    before = client.exchange.market("BTCUSDT").book.update_id
    client.venue.advance(client.now_ns - SECOND)
    assert client.exchange.market("BTCUSDT").book.update_id == before
    assert client.venue.next_ns is not None
    assert client.venue.next_ns >= client.now_ns

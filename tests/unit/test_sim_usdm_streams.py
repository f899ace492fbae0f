"""The simulated futures' streams: depth by `pu`, routes, and the user data behind a listen key."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate, FrameRefused, Trade
from pipeline.core.sync import SyncedBook
from pipeline.core.types import BookState, Fees
from pipeline.sim.exchange.listing import usdm_listings
from pipeline.wire.venues import codec_for
from tests.fakes.sim_client import MS, FakeLink
from tests.fakes.usdm_client import UsdmClient
from tests.fakes.venue import SYMBOL

EVERY = ("depth@0ms", "depth@100ms", "depth", "depth@500ms", "bookTicker", "aggTrade", "trade")
ASKED = "streams=" + "/".join(f"btcusdt@{name}" for name in EVERY)


def by_stream(link: FakeLink) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in link.take():
        found.setdefault(one["stream"].partition("@")[2], []).append(one["data"])
    return found


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ("/public/stream", {"depth@0ms", "depth@100ms", "depth", "depth@500ms", "bookTicker"}),
        ("/stream", {"depth@0ms", "depth@100ms", "depth", "depth@500ms", "bookTicker"}),
        ("/market/stream", {"aggTrade", "trade"}),
    ],
)
def test_a_route_carries_its_own_channels_and_is_silent_on_others(path: str, heard: set[str]) -> None:
    client = UsdmClient()
    link, _ = client.listen(ASKED, path)
    client.run(3)
    assert set(by_stream(link)) == heard


def test_every_pace_is_a_chain_of_its_own_with_ids_that_are_not_consecutive() -> None:
    client = UsdmClient()
    link, _ = client.listen(ASKED, "/public/stream")
    client.run(5)
    found = by_stream(link)
    for name in ("depth@0ms", "depth@100ms", "depth", "depth@500ms"):
        updates = found[name]
        assert all(after["pu"] == one["u"] for one, after in zip(updates, updates[1:], strict=False)), name
        assert all(one["pu"] + 1 < one["U"] <= one["u"] for one in updates), name
    assert len(found["depth@100ms"]) == pytest.approx(50, abs=3)
    assert len(found["depth"]) == pytest.approx(20, abs=2)
    assert len(found["depth@500ms"]) == pytest.approx(10, abs=1)
    assert len(found["depth@0ms"]) > 100
    assert {"e", "u", "E", "T", "s", "b", "B", "a", "A"} == set(found["bookTicker"][0])


def test_merged_trades_hold_what_the_single_ones_do_and_come_in_batches() -> None:
    client = UsdmClient()
    link, _ = client.listen(ASKED, "/market/stream")
    client.run(20)
    found = by_stream(link)
    merged, single = found["aggTrade"], found["trade"]
    assert sum(round(float(one["q"]) * 1_000) for one in merged) <= sum(
        round(float(one["q"]) * 1_000) for one in single
    )
    assert all((one["E"] - client.now_ms) % 100 == 0 for one in merged)
    assert [one["a"] for one in merged] == list(range(merged[0]["a"], merged[0]["a"] + len(merged)))
    firsts = {one["t"]: one for one in single}
    assert all(firsts[one["f"]]["p"] == one["p"] and firsts[one["l"]]["m"] == one["m"] for one in merged)
    assert all(one["q"] == one["nq"] for one in merged)


@pytest.mark.parametrize("pace", ["depth@0ms", "depth@100ms"])
def test_our_own_book_follows_the_streams_from_a_snapshot(pace: str) -> None:
    client = UsdmClient()
    instrument = usdm_listings()[0].instrument
    codec, synced = codec_for("binance-usdm", {SYMBOL: instrument}), SyncedBook(instrument)
    link, _ = client.listen(f"streams=btcusdt@{pace}/btcusdt@bookTicker", "/public/stream")
    trades, _ = client.listen("streams=btcusdt@aggTrade", "/market/stream")
    client.run(0.55)
    frames = [*link.frames, client.raw_depth()]
    link.frames.clear()
    client.run(3)
    kinds = set()
    for frame in [*frames, *link.frames, *trades.frames]:
        for one in codec.decode(frame, client.now_ns, 0, SYMBOL):
            assert not isinstance(one, FrameRefused), one
            kinds.add(type(one))
            match one:
                case DepthUpdate():
                    synced.on_update(one)
                case DepthSnapshot():
                    synced.on_snapshot(one)
                case BookTicker():
                    synced.on_ticker(one)
                case _:
                    pass
    assert synced.state is BookState.SYNCED
    assert synced.gaps == 0
    assert kinds >= {DepthUpdate, DepthSnapshot, BookTicker, Trade}
    if pace == "depth@0ms":
        market = client.exchange.market(SYMBOL)
        sides = [
            tuple((ticks, lots * instrument.lot_units) for ticks, lots in side.ladder())
            for side in (market.book.bids, market.book.asks)
        ]
        depth = 900
        assert [side[:depth] for side in synced.book.top(depth)] == [side[:depth] for side in sides]


def test_a_fill_is_told_as_wallet_then_short_then_whole() -> None:
    client = UsdmClient(fees=Fees(200, 500, "venue"))
    link, _ = client.hear()
    client.market_order("BUY", "0.010", newClientOrderId="x")
    new, moved, lite, filled = link.take()
    assert (new["e"], new["o"]["x"], new["o"]["X"]) == ("ORDER_TRADE_UPDATE", "NEW", "NEW")
    assert moved["e"] == "ACCOUNT_UPDATE"
    assert moved["a"]["P"][0]["pa"] == "0.010"
    assert (moved["a"]["m"], moved["a"]["P"][0]["ps"]) == ("ORDER", "BOTH")
    order = filled["o"]
    assert (lite["e"], lite["t"], lite["c"]) == ("TRADE_LITE", order["t"], "x")
    assert (order["x"], order["X"], order["N"], order["R"]) == ("TRADE", "FILLED", "USDT", False)
    assert (order["z"], order["ap"]) == ("0.010", order["L"] + "0000000")
    wallet = float(moved["a"]["B"][0]["wb"])
    assert wallet == pytest.approx(1_000_000 - float(order["n"]))
    client.market_order("SELL", "0.010", reduceOnly="true")
    closed = link.take()[-1]["o"]
    assert closed["R"] is True
    assert float(closed["rp"]) == pytest.approx(-0.001)


def test_only_the_named_events_come_and_only_with_a_valid_key() -> None:
    client = UsdmClient()
    orders, _ = client.hear("&events=ORDER_TRADE_UPDATE")
    wrapped, _ = client.hear(path="/private/stream")
    nobody = FakeLink()
    client.opened(nobody, "/private/ws", "listenKey=guessed")
    client.market_order("BUY", "0.010")
    assert {one["e"] for one in orders.take()} == {"ORDER_TRADE_UPDATE"}
    assert {one["data"]["e"] for one in wrapped.take()} == {
        "ORDER_TRADE_UPDATE",
        "ACCOUNT_UPDATE",
        "TRADE_LITE",
    }
    assert nobody.take() == []


def test_a_listen_key_is_kept_by_pings_and_said_to_have_ended() -> None:
    client = UsdmClient()
    link, _ = client.hear()
    first = client.rest("POST", "/fapi/v1/listenKey", signed=False)[1]["listenKey"]
    client.now_ns += 3_000 * 1_000 * MS
    client.venue.advance(client.now_ns)
    assert client.rest("PUT", "/fapi/v1/listenKey", signed=False) == (200, {"listenKey": first})
    client.now_ns += 3_599 * 1_000 * MS
    client.venue.advance(client.now_ns)
    assert link.take() == []
    client.now_ns += 2 * 1_000 * MS
    client.venue.advance(client.now_ns)
    (ended,) = link.take()
    assert (ended["e"], ended["listenKey"]) == ("listenKeyExpired", first)
    client.market_order("BUY", "0.010")
    assert link.take() == []
    assert client.rest("PUT", "/fapi/v1/listenKey", signed=False)[1]["code"] == -1125
    assert client.rest("POST", "/fapi/v1/listenKey", signed=False)[1]["listenKey"] != first


def test_a_key_given_back_is_silent() -> None:
    client = UsdmClient()
    link, session = client.hear()
    client.venue.receive(session, b"anything", client.now_ns)
    assert client.ask("userDataStream.ping", apiKey=client.key)["status"] == 200
    assert client.ask("userDataStream.stop", apiKey=client.key)["result"] == {}
    client.market_order("BUY", "0.010")
    assert link.take() == []
    assert client.ask("userDataStream.start", apiKey="")["error"]["code"] == -2014


def test_who_talks_too_much_is_shown_out_later_than_on_spot() -> None:
    client = UsdmClient()
    link, session = client.listen("", "/public/stream")
    for _ in range(10):
        client.venue.receive(session, b'{"method":"LIST_SUBSCRIPTIONS","id":1}', client.now_ns)
    assert link.closed is None
    client.venue.receive(session, b'{"method":"LIST_SUBSCRIPTIONS","id":1}', client.now_ns)
    assert link.closed == (1_008, "Too many requests")


def test_two_hundred_streams_a_connection() -> None:
    client = UsdmClient()
    link, session = client.listen("", "/public/stream")
    names = ",".join(f'"s{n}@depth"' for n in range(201))
    client.venue.receive(
        session, b'{"method":"SUBSCRIBE","params":[%s],"id":1}' % names.encode(), client.now_ns
    )
    assert link.take()[0]["code"] == 2

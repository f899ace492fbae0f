"""Bybit's recording: linear and spot, 3,227 frames of 42 seconds, proved against a book of dicts.

The reference reads the file with the standard library alone: JSON, dicts and Decimal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import zstandard

from app.replay_command import bundled_model, default_model
from pipeline.core.inputs import DepthSnapshot, DepthUpdate, FrameIgnored, Trade, WireInput
from pipeline.core.sync_streamed import synced_book
from pipeline.core.types import BookState, Instrument, Side, scaled_text
from pipeline.models.inspection import inspect_model
from pipeline.models.refusal import ModelRefused, RefusalCode
from pipeline.models.venue_offer import expectation_for
from pipeline.runtime.capture import CaptureError, open_capture, probe
from pipeline.runtime.instruments import load_instruments
from pipeline.wire.venues import codec_for
from tests.fakes.sessions import SHARED, replayed, run_lobdeck

FOLDER = SHARED.parent / "cryptofeed"
PATH = FOLDER / "BYBIT.jsonl.zst"
SYMBOLS = {
    "bybit-linear": ("BTCUSDT", "DOGEUSDT", "ETHUSDT", "SOLUSDT"),
    "bybit-spot": ("BTCUSDT", "ETHUSDT"),
}
FRAMES = {"bybit-linear": 2_546, "bybit-spot": 681}
TRADES = {"bybit-linear": 327, "bybit-spot": 20}
DELTAS = {"bybit-linear": 1_594, "bybit-spot": 548}
TOPS = {
    ("bybit-linear", "BTCUSDT"): (15_077_365, "65114.2", "5.974", "65114.3", "9.060"),
    ("bybit-linear", "ETHUSDT"): (14_768_880, "1922.54", "52.00", "1922.55", "19.25"),
    ("bybit-linear", "SOLUSDT"): (13_783_705, "77.26", "1041.8", "77.27", "356.1"),
    ("bybit-linear", "DOGEUSDT"): (13_178_638, "0.07055", "192121", "0.07056", "4200"),
    ("bybit-spot", "BTCUSDT"): (62_505_723, "65140.4", "0.622237", "65140.5", "0.606831"),
    ("bybit-spot", "ETHUSDT"): (56_726_742, "1923.28", "9.42925", "1923.29", "3.44935"),
}
"""The best prices and sizes at the end, with the update id they are of."""

pytestmark = pytest.mark.skipif(not PATH.exists(), reason="no recorded data: ../shared/data/cryptofeed")


@cache
def lines() -> list[dict[str, Any]]:
    """Give every line of the file, parsed by the standard library."""
    with PATH.open("rb") as file:
        content = zstandard.ZstdDecompressor().stream_reader(file).read()
    return [json.loads(line) for line in content.splitlines() if line]


def messages(venue: str) -> Iterator[dict[str, Any]]:
    """Give the received frames of a venue, parsed by the standard library."""
    product = venue.removeprefix("bybit-")
    of = {line["conn"] for line in lines() if line["t"] == "connect" and line["addr"].endswith(product)}
    yield from (json.loads(line["data"]) for line in lines() if line["t"] == "recv" and line["conn"] in of)


@dataclass
class Reference:
    """The slow and certain book."""

    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)
    last_id: int = 0

    def take(self, message: dict[str, Any]) -> None:
        data = message["data"]
        if message["type"] == "snapshot":
            self.bids, self.asks = {}, {}
        else:
            assert data["u"] == self.last_id + 1
        self.last_id = data["u"]
        for side, changes in ((self.bids, data["b"]), (self.asks, data["a"])):
            for price, size in changes:
                side[Decimal(price)] = Decimal(size)
                if not side[Decimal(price)]:
                    del side[Decimal(price)]
        assert max(self.bids) < min(self.asks)

    def levels(self, instrument: Instrument) -> tuple[tuple[tuple[int, int], ...], ...]:
        tick = Decimal(instrument.tick_units).scaleb(-instrument.price_decimals)
        bids = sorted(self.bids.items(), reverse=True)
        return tuple(
            tuple((int(price / tick), int(size.scaleb(instrument.size_decimals))) for price, size in side)
            for side in (bids, sorted(self.asks.items()))
        )


def instruments(venue: str) -> dict[str, Instrument]:
    return {one.symbol: one for one in load_instruments(venue, SYMBOLS[venue])}


@cache
def decoded(venue: str) -> list[WireInput]:
    """Give everything the capture and the codec make of a venue's frames."""
    codec = codec_for(venue, instruments(venue))
    frames = open_capture([PATH], venue)
    return [event for one in frames for event in codec.decode(one.payload, one.ts_recv_ns, 0)]


@pytest.mark.parametrize("venue", SYMBOLS)
def test_venue_and_symbols_are_found_out(venue: str) -> None:
    info = probe([PATH], venue)
    assert (info.venue, sorted(info.symbols)) == (venue, sorted(SYMBOLS[venue]))
    (other,) = info.others
    assert {venue, other} == set(SYMBOLS)
    assert probe([PATH]).venue == "bybit-linear"


@pytest.mark.parametrize("venue", SYMBOLS)
def test_every_frame_is_read_and_none_refused(venue: str) -> None:
    assert sum(1 for _ in open_capture([PATH], venue)) == FRAMES[venue]
    kinds = Counter(type(event) for event in decoded(venue))
    assert set(kinds) == {DepthSnapshot, DepthUpdate, Trade, FrameIgnored}
    assert (kinds[Trade], kinds[DepthUpdate]) == (TRADES[venue], DELTAS[venue])
    assert kinds[DepthSnapshot] == len(SYMBOLS[venue])


def test_both_products_together_are_the_whole_recording() -> None:
    assert sum(FRAMES.values()) == sum(line["t"] == "recv" for line in lines()) == 3_227
    assert sum(TRADES.values()) == 347


@pytest.mark.parametrize("venue", SYMBOLS)
def test_each_book_is_the_reference_book_after_every_update(venue: str) -> None:
    known = instruments(venue)
    books = {symbol: synced_book(instrument) for symbol, instrument in known.items()}
    references = {symbol: Reference() for symbol in known}
    events = (event for event in decoded(venue) if isinstance(event, DepthSnapshot | DepthUpdate))
    for message in messages(venue):
        if not message.get("topic", "").startswith("orderbook"):
            continue
        event = next(events)
        book, reference = books[event.symbol], references[event.symbol]
        if isinstance(event, DepthUpdate):
            book.on_update(event)
        else:
            book.on_snapshot(event)
        reference.take(message)
        assert book.state is BookState.SYNCED
        assert book.last_update_id == reference.last_id
        assert book.book.top(1_000) == reference.levels(known[event.symbol])
    assert next(events, None) is None
    for symbol, book in books.items():
        instrument = known[symbol]
        bid, bid_size, ask, ask_size = book.book.l1
        top = (
            *(instrument.price_text(bid), instrument.size_text(bid_size)),
            *(instrument.price_text(ask), instrument.size_text(ask_size)),
        )
        assert (book.last_update_id, *top) == TOPS[venue, symbol]
        assert (book.gaps, book.resyncs, book.crossed, book.ignored) == (0, 0, 0, 0)


@pytest.mark.parametrize("venue", SYMBOLS)
def test_trades_are_what_is_printed_and_hit_the_side_they_took_from(venue: str) -> None:
    known = instruments(venue)
    books = {symbol: synced_book(instrument) for symbol, instrument in known.items()}
    printed = [
        one
        for message in messages(venue)
        if "publicTrade" in message.get("topic", "")
        for one in message["data"]
    ]
    trades = [event for event in decoded(venue) if isinstance(event, Trade)]
    assert len({trade.trade_id for trade in trades}) == len(trades)
    for one, trade in zip(printed, trades, strict=True):
        instrument = known[one["s"]]
        assert Decimal(instrument.price_text(trade.price_ticks)) == Decimal(one["p"])
        assert Decimal(instrument.size_text(trade.size_units)) == Decimal(one["v"])
        assert trade.aggressor_side is (Side.BUY if one["S"] == "Buy" else Side.SELL)
    agrees = differs = 0
    for event in decoded(venue):
        if isinstance(event, DepthUpdate):
            books[event.symbol].on_update(event)
        elif isinstance(event, DepthSnapshot):
            books[event.symbol].on_snapshot(event)
        elif isinstance(event, Trade) and books[event.symbol].is_synced:
            bid, _, ask, _ = books[event.symbol].book.l1
            lean = 2 * event.price_ticks - bid - ask
            agrees += lean * event.aggressor_side > 0
            differs += lean * event.aggressor_side < 0
    assert agrees > 4 * differs


@pytest.mark.parametrize("venue", SYMBOLS)
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_one_update_removed_is_a_gap_until_the_next_snapshot(venue: str, symbol: str) -> None:
    instrument = instruments(venue)[symbol]
    whole = [event for event in decoded(venue) if getattr(event, "symbol", "") == symbol]
    depth = [event for event in whole if isinstance(event, DepthSnapshot | DepthUpdate)]
    truth, book = synced_book(instrument), synced_book(instrument)
    removed, renewed = 60, 100
    for number, event in enumerate(depth):
        take(truth, event)
        if number == renewed:
            # What the venue sends after a new subscription: the book as it stands.
            bids, asks = truth.book.top(1_000)
            times = event.ts_event_ns, event.ts_recv_ns
            take(book, DepthSnapshot(symbol, event.last_update_id, bids, asks, *times))
        elif number != removed:
            take(book, event)
        assert book.is_synced is not (removed < number < renewed)
    assert (book.gaps, book.resyncs) == (1, 1)
    assert book.book.top(1_000) == truth.book.top(1_000)
    assert book.last_update_id == truth.last_update_id


def take(book: Any, event: DepthSnapshot | DepthUpdate) -> None:
    if isinstance(event, DepthUpdate):
        book.on_update(event)
    else:
        book.on_snapshot(event)


@pytest.mark.parametrize("venue", SYMBOLS)
def test_shipped_instruments_are_what_the_venue_says_of_them(venue: str) -> None:
    answers = [json.loads(line["data"])["result"] for line in lines() if line["t"] == "http"]
    (listed,) = (one["list"] for one in answers if one["category"] == venue.removeprefix("bybit-"))
    told = {one["symbol"]: one for one in listed}
    for symbol, instrument in instruments(venue).items():
        one, lots = told[symbol], told[symbol]["lotSizeFilter"]
        step = lots.get("qtyStep") or lots["basePrecision"]
        smallest = lots.get("minNotionalValue") or lots["minOrderAmt"]
        tick = scaled_text(instrument.tick_units, instrument.price_decimals)
        assert Decimal(tick) == Decimal(one["priceFilter"]["tickSize"])
        assert Decimal(instrument.qty_text(1)) == Decimal(step)
        assert Decimal(instrument.qty_text(instrument.max_qty_lots)) == Decimal(lots["maxOrderQty"])
        assert instrument.min_notional_quote_e8 == Decimal(smallest).scaleb(8)
        assert (instrument.base, instrument.quote) == (one["baseCoin"], one["quoteCoin"])
        assert instrument.margin is (venue == "bybit-linear")


@pytest.mark.parametrize("venue", SYMBOLS)
def test_only_the_model_of_any_market_runs_on_it(venue: str) -> None:
    (btc, *_) = known = load_instruments(venue, SYMBOLS[venue])
    assert default_model(known) == bundled_model("qi-logit")
    assert inspect_model(bundled_model("qi-logit"), expectation_for(btc, "2026-08-09"))
    with pytest.raises(ModelRefused) as caught:
        inspect_model(bundled_model("ob-logit"), expectation_for(btc, "2026-08-09"))
    assert caught.value.code is RefusalCode.E_SPAN


# --- through the real command -----------------------------------------------------------------------------


@pytest.mark.parametrize("venue", SYMBOLS)
def test_a_replay_ends_at_the_tops_without_a_gap(tmp_path: Path, venue: str) -> None:
    tmp_path.chmod(0o700)
    summary = replayed(tmp_path, str(PATH), "--venue", venue, "--authority", "observe")
    assert (summary["frames"], summary["trades"]) == (FRAMES[venue], TRADES[venue])
    assert summary["updates"] == DELTAS[venue]
    assert summary["gaps"] == summary["crossed"] == summary["resyncs"] == summary["wire_errors"] == 0
    assert summary["decisions"] > 500
    for symbol in SYMBOLS[venue]:
        book = summary["book"][symbol]
        top = (book["last_update_id"], *book["bids"][0], *book["asks"][0])
        assert (book["state"], top) == ("SYNCED", TOPS[venue, symbol])


def test_a_line_cut_out_of_the_file_is_a_gap_and_a_garbled_one_the_end(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    texts = [json.dumps(line) for line in lines()]
    linear = texts[: next(i for i, text in enumerate(texts) if "public/spot" in text)]
    victim = [i for i, text in enumerate(linear) if "orderbook.200.SOLUSDT" in text][300]
    cut = linear[:victim] + linear[victim + 1 :]
    capture = tmp_path / "cut.jsonl"
    capture.write_text("\n".join(cut) + "\n")
    summary = replayed(tmp_path, str(capture), "--authority", "observe")
    states = {symbol: book["state"] for symbol, book in summary["book"].items()}
    assert (summary["gaps"], states["SOLUSDT"]) == (1, "GAP")
    assert all(state == "SYNCED" for symbol, state in states.items() if symbol != "SOLUSDT")

    cut[99] = cut[99][:50]
    capture.write_text("\n".join(cut) + "\n")
    done = run_lobdeck(tmp_path, "replay", str(capture), "--headless")
    assert done.returncode == 2
    assert f"{capture}: line 100: expected cryptofeed lines (a JSON object with t, conn, ts" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_trained_model_is_refused_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    model = str(bundled_model("ob-logit"))
    done = run_lobdeck(tmp_path, "replay", str(PATH), "--headless", "--model", model)
    assert done.returncode == 2
    assert "E_SPAN" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["OKX", "KRAKEN", "DERIBIT", "BITFINEX"])
def test_recordings_of_venues_we_do_not_read_are_refused(name: str) -> None:
    path = FOLDER / f"{name}.jsonl.zst"
    with pytest.raises(CaptureError) as caught:
        probe([path])
    assert str(caught.value).startswith(f"{path}: line 1: expected frames of binance, binance-usdm, ")
    assert str(caught.value).endswith("found no connection to a known venue")

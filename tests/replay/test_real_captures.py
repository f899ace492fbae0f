"""Codec, sync and book on recorded Binance frames, against a reconstruction too small to be wrong."""

import functools
import gzip
import json
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate, FrameIgnored, FrameRefused, Trade
from pipeline.core.sync import SyncedBook
from pipeline.core.types import BookState, Instrument, Level, Side, SyncRule
from pipeline.runtime.capture import CapturedFrame, CaptureError, open_capture, probe
from pipeline.wire.binance_depth import FastDepthReader
from pipeline.wire.venues import codec_for
from tests.fakes.market_builders import CAPTURES, SPOT, USDM

pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="../shared/data/hftbacktest is not here")


@dataclass(frozen=True)
class Capture:
    """A pair of files and what the data sheet says of it."""

    name: str
    files: tuple[str, str]
    instrument: Instrument
    depth: int
    tickers: int
    trades: int
    shared: int

    @property
    def paths(self) -> list[Path]:
        return [CAPTURES / name for name in self.files]


SPOT_2024 = Capture(
    "spot 2024", ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"), SPOT, 6_495, 73_174, 19_904, 1_072
)
USDM_2024 = Capture(
    "usdm 2024", ("usdm_btcusdt_20240718.gz", "usdm_btcusdt_20240719.gz"), USDM, 9_022, 52_260, 10_701, 625
)
USDM_2023 = Capture(
    "usdm 2023",
    ("usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz"),
    USDM,
    16_110,
    44_205,
    12_934,
    1_565,
)
ALL = pytest.mark.parametrize("capture", [SPOT_2024, USDM_2024, USDM_2023], ids=lambda c: c.name)


@dataclass
class Run:
    """What a stretch of a capture did to one book."""

    book: SyncedBook
    kinds: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    clock_ns: list[int] = field(default_factory=list)
    agree: Counter[bool] = field(default_factory=Counter)


@functools.lru_cache(maxsize=1)
def frames_of(capture: Capture) -> list[CapturedFrame]:
    return list(open_capture(capture.paths))


def is_depth(frame: CapturedFrame) -> bool:
    return b'"depthUpdate"' in frame.payload[:100]


def run(capture: Capture, frames: Iterable[CapturedFrame]) -> Run:
    codec = codec_for(capture.instrument.venue, {"BTCUSDT": capture.instrument})
    book = SyncedBook(capture.instrument)
    result = Run(book)
    for frame in frames:
        for event in codec.decode(frame.payload, frame.ts_recv_ns, 0):
            result.kinds[type(event).__name__] += 1
            match event:
                case DepthUpdate():
                    result.clock_ns.append(event.ts_event_ns - event.ts_recv_ns)
                    book.on_update(event)
                case DepthSnapshot():
                    book.on_snapshot(event)
                case BookTicker():
                    book.on_ticker(event)
                case Trade():
                    # The ticker that a trade causes comes before the trade; the depth book comes after it.
                    twice_mid = book.book.best_bid + book.book.best_ask
                    if twice_mid and 2 * event.price_ticks != twice_mid:
                        above = 2 * event.price_ticks > twice_mid
                        result.agree[above is (event.aggressor_side is Side.BUY)] += 1
                case FrameIgnored():
                    result.ignored[event.kind] += 1
                case FrameRefused():
                    pass
    return result


def digits(text: str, decimals: int) -> int:
    """Turn a printed number into an integer by moving its point."""
    whole, _, fraction = text.partition(".")
    return int(whole + (fraction + "0" * decimals)[:decimals])


def reference(capture: Capture, frames: list[CapturedFrame]) -> tuple[int, list[Level], list[Level]]:
    """Rebuild the last update id and the top ten with dicts: the snapshot, then each later update."""
    messages: list[dict[str, Any]] = []
    for frame in frames:
        if is_depth(frame) or b'"lastUpdateId"' in frame.payload[:40]:
            message = json.loads(frame.payload)
            messages.append(message.get("data", message))
    snapshot = next(m for m in messages if "lastUpdateId" in m)
    last = snapshot["lastUpdateId"]
    bids, asks = dict(snapshot["bids"]), dict(snapshot["asks"])
    for message in messages:
        if message.get("u", 0) > snapshot["lastUpdateId"]:
            bids.update(message["b"])
            asks.update(message["a"])
            last = message["u"]
    price, size = capture.instrument.price_decimals, capture.instrument.size_decimals
    tops = [
        sorted(((digits(p, price), digits(s, size)) for p, s in side.items() if digits(s, size)))
        for side in (bids, asks)
    ]
    return last, tops[0][:-11:-1], tops[1][:10]


# --- whole captures ---------------------------------------------------------------------------------------


@ALL
def test_whole_capture_is_read_without_a_fault_and_ends_exactly_right(capture: Capture) -> None:
    frames = frames_of(capture)
    done = run(capture, frames)
    book = done.book
    assert done.kinds["DepthUpdate"] == capture.depth
    assert done.kinds["BookTicker"] == capture.tickers
    assert done.kinds["Trade"] == capture.trades
    assert done.kinds["DepthSnapshot"] == 1
    assert done.kinds["FrameRefused"] == 0
    assert (book.state, book.gaps, book.crossed, book.resyncs) == (BookState.SYNCED, 0, 0, 0)
    assert (book.check.shared, book.check.equal) == (capture.shared, capture.shared)
    book.book._check()
    bids, asks = book.book.top(10)
    assert (book.last_update_id, list(bids), list(asks)) == reference(capture, frames)
    # The buyer-is-maker flag read the wrong way round would show as agreement near zero.
    assert done.agree[True] > 0.9 * done.agree.total()
    clock_s = statistics.median(done.clock_ns) / 1e9
    if capture is USDM_2023:
        assert done.ignored == {"markPriceUpdate": 514, "trade INSURANCE_FUND": 1}
        assert -1 < clock_s < 1
    else:
        assert 1.2 < clock_s < 1.6, "the receive clock runs behind the exchange"


@ALL
def test_probe_knows_the_venue_and_refuses_another(capture: Capture) -> None:
    venue = capture.instrument.venue
    info = probe(capture.paths)
    assert (info.venue, info.symbols) == (venue, ("BTCUSDT",))
    assert 1_680_000_000 < info.first_ts_ns / 1e9 < 1_730_000_000
    other = "binance" if venue == "binance-usdm" else "binance-usdm"
    with pytest.raises(CaptureError, match=f"line 1: expected frames of {other}, found {venue}$"):
        probe(capture.paths, other)


@ALL
def test_fast_path_takes_every_update_and_reads_what_the_careful_path_reads(capture: Capture) -> None:
    instruments = {"BTCUSDT": capture.instrument}
    codec = codec_for(capture.instrument.venue, instruments)
    fast = FastDepthReader(
        instruments, chained=capture.instrument.sync_rule is SyncRule.CHAINED, time_unit_ns=1_000_000
    )
    for frame in frames_of(capture):
        if is_depth(frame):
            update = fast.read(frame.payload, 1, 0)
            assert update is not None
            if update.last_update_id % 10 == 0:
                # A space is all it takes to be read with care.
                spaced = frame.payload.replace(b'","', b'", "')
                assert fast.read(spaced, 1, 0) is None
                assert codec.decode(spaced, 1, 0) == (update,)


def test_off_lot_sizes_of_the_spot_capture_are_taken() -> None:
    codec = codec_for("binance", {"BTCUSDT": SPOT})
    off_lot = [
        size
        for frame in frames_of(SPOT_2024)
        if is_depth(frame)
        for event in codec.decode(frame.payload, 0, 0)
        if isinstance(event, DepthUpdate)
        for _, size in event.bids + event.asks
        if size % SPOT.lot_units
    ]
    assert len(off_lot) == 7


# --- spoiled captures -------------------------------------------------------------------------------------

STRETCH = 12_000


def depth_positions(frames: list[CapturedFrame]) -> list[int]:
    return [at for at, frame in enumerate(frames) if is_depth(frame)]


@ALL
@pytest.mark.parametrize("which", [200, 700])
def test_one_lost_depth_line_is_one_gap(capture: Capture, which: int) -> None:
    frames = frames_of(capture)[:STRETCH]
    lost = depth_positions(frames)[which]
    book = run(capture, frames[:lost] + frames[lost + 1 :]).book
    assert (book.gaps, book.state) == (1, BookState.GAP)


@ALL
def test_one_garbled_depth_line_is_refused_and_then_a_gap(capture: Capture) -> None:
    frames = frames_of(capture)[:STRETCH]
    spoiled = depth_positions(frames)[300]
    line = frames[spoiled]
    broken = CapturedFrame(line.ts_recv_ns, line.payload[:-20], line.line, line.path)
    done = run(capture, [*frames[:spoiled], broken, *frames[spoiled + 1 :]])
    assert done.kinds["FrameRefused"] == 1
    assert (done.book.gaps, done.book.state) == (1, BookState.GAP)


def with_one_size_changed(frames: list[CapturedFrame]) -> list[CapturedFrame]:
    """Change the size of a best bid in an update that shares its id with a ticker."""
    tickers: dict[int, tuple[str, str]] = {}
    for frame in frames:
        data = json.loads(frame.payload).get("data", {})
        if "B" in data:
            tickers[data["u"]] = (data["b"], data["B"])
    for at in depth_positions(frames)[100:]:
        data = json.loads(frames[at].payload)["data"]
        price, size = tickers.get(data["u"], ("", ""))
        if [price, size] in data["b"]:
            old = f'["{price}","{size}"]'.encode()
            new = f'["{price}","9{size}"]'.encode()
            line = frames[at]
            changed = CapturedFrame(line.ts_recv_ns, line.payload.replace(old, new), line.line, line.path)
            return [*frames[:at], changed, *frames[at + 1 :]]
    raise AssertionError("no update with a best bid and a ticker of its id")


@ALL
def test_one_corrupted_level_shows_against_the_ticker(capture: Capture) -> None:
    frames = frames_of(capture)[:STRETCH]
    sound, spoiled = run(capture, frames).book, run(capture, with_one_size_changed(frames)).book
    assert sound.check.shared == sound.check.equal > 0
    assert spoiled.check.shared == sound.check.shared
    assert spoiled.check.equal < spoiled.check.shared
    assert spoiled.gaps == 0


# --- traps ------------------------------------------------------------------------------------------------


def test_futures_book_seeded_by_a_snapshot_that_ends_an_update() -> None:
    frames = frames_of(USDM_2024)[:STRETCH]
    codec = codec_for("binance-usdm", {"BTCUSDT": USDM})
    updates = [u for f in frames for u in codec.decode(f.payload, 1, 0) if isinstance(u, DepthUpdate)]
    truth = SyncedBook(USDM)
    for frame in frames:
        for event in codec.decode(frame.payload, 1, 0):
            if isinstance(event, DepthSnapshot):
                truth.on_snapshot(event)
            elif isinstance(event, DepthUpdate):
                truth.on_update(event)
                if event is not updates[-1] and event.last_update_id == updates[400].last_update_id:
                    at_400 = truth.book.top(10_000)
    book = SyncedBook(USDM)
    for update in updates[390:401]:
        book.on_update(update)
    book.on_snapshot(DepthSnapshot("BTCUSDT", updates[400].last_update_id, *at_400, 0, 1))
    assert book.state is BookState.SYNCING
    for update in updates[401:]:
        book.on_update(update)
    assert (book.state, book.gaps) == (BookState.SYNCED, 0)
    assert book.book.top(10_000) == truth.book.top(10_000)


def test_another_venues_capture_is_refused_by_name_and_line() -> None:
    path = CAPTURES / "hyperliquid_btcusd_20250126.gz"
    with pytest.raises(CaptureError) as caught:
        probe([path])
    assert str(caught.value).startswith(f"{path}: line 1: expected frames of binance, binance-usdm, ")


def test_truncated_capture_gives_its_frames_and_then_the_line_it_ends_at(tmp_path: Path) -> None:
    packed = SPOT_2024.paths[0].read_bytes()
    whole = gzip.decompress(packed).count(b"\n")
    path = tmp_path / "cut.gz"
    path.write_bytes(packed[: len(packed) // 2])
    seen: list[int] = []
    with pytest.raises(
        CaptureError, match=r"cut\.gz: line \d+: expected more gzip data, .* truncated"
    ) as caught:
        seen.extend(frame.line for frame in open_capture([path]))
    assert 0 < seen[-1] < whole
    assert f"line {seen[-1] + 1}:" in str(caught.value)

"""The packaged session through the program's own reader, codec and book."""

from __future__ import annotations

from collections import Counter

from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.core.types import BookState
from pipeline.runtime.capture import open_capture, probe
from pipeline.runtime.instruments import load_instruments
from pipeline.sim.synthetic import packaged_session
from pipeline.wire.venues import codec_for


def test_packaged_session_is_a_binance_capture_without_a_fault() -> None:
    paths = [packaged_session()]
    info = probe(paths)
    assert (info.venue, info.symbols) == ("binance", ("BTCUSDT",))
    (instrument,) = load_instruments(info.venue, info.symbols)
    codec = codec_for(info.venue, {instrument.symbol: instrument})
    synced = SyncedBook(instrument)
    kinds: Counter[str] = Counter()
    for frame in open_capture(paths):
        for market_input in codec.decode(frame.payload, frame.ts_recv_ns, 0, instrument.symbol):
            kinds[type(market_input).__name__] += 1
            match market_input:
                case DepthSnapshot():
                    synced.on_snapshot(market_input)
                case DepthUpdate():
                    synced.on_update(market_input)
                case BookTicker():
                    synced.on_ticker(market_input)
                case _:
                    pass
    assert set(kinds) == {"DepthSnapshot", "DepthUpdate", "BookTicker", "Trade"}
    assert synced.state is BookState.SYNCED
    assert (synced.gaps, synced.crossed) == (0, 0)
    assert synced.check.shared == synced.check.equal > 1_000

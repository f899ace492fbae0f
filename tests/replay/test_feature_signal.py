"""The features see in real data what the data sheet says is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.features import FeatureEngine, FeatureParams
from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.runtime.capture import open_capture
from pipeline.wire.venues import codec_for
from tests.fakes.market import INSTRUMENT, MS, SYMBOL

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "hftbacktest"
SPOT = (CAPTURES / "spot_btcusdt_20240808.gz", CAPTURES / "spot_btcusdt_20240809.gz")
GRID_NS = 200 * MS
AHEAD = 5
"""Samples in one second."""


def samples(paths: tuple[Path, ...], name: str) -> Iterator[tuple[float, int]]:
    """(value, mid in half ticks) each 200 ms, from depth alone and what was received before."""
    codec = codec_for("binance", {SYMBOL: INSTRUMENT})
    book = SyncedBook(INSTRUMENT)
    features = FeatureEngine(INSTRUMENT, FeatureParams(needed=(name,)))
    grid_ns = 0
    for frame in open_capture(paths):
        if b"depthUpdate" not in frame.payload and b"lastUpdateId" not in frame.payload:
            continue
        ts_ns = frame.ts_recv_ns
        grid_ns = grid_ns or ts_ns
        while ts_ns > grid_ns:
            if features.ready((name,), grid_ns):
                bid, _, ask, _ = book.l1
                yield features.value(name, grid_ns), bid + ask
            grid_ns += GRID_NS
        for found in codec.decode(frame.payload, ts_ns, 0):
            match found:
                case DepthSnapshot():
                    book.on_snapshot(found)
                    features.on_book(book, ts_ns)
                case DepthUpdate():
                    book.on_update(found)
                    features.on_book(book, ts_ns)


def area_under_curve(scored: list[tuple[float, bool]]) -> float:
    """Share of (up, down) pairs ranked rightly; ties count by their order, which is as good as any."""
    ups = seen = rightly = 0
    for _, up in sorted(scored):
        seen += 1
        if up:
            rightly += seen - 1 - ups
            ups += 1
    return rightly / (ups * (seen - ups))


def test_ranking_of_a_perfect_score_is_one_and_of_its_opposite_zero() -> None:
    scored = [(float(n), n > 40) for n in range(100)]
    assert area_under_curve(scored) == 1.0
    assert area_under_curve([(-value, up) for value, up in scored]) == 0.0


@pytest.mark.skipif(not all(path.exists() for path in SPOT), reason="no spot capture in ../shared/data")
def test_imbalance_of_five_levels_ranks_the_next_move_as_the_data_sheet_says() -> None:
    found = list(samples(SPOT, "qi_5"))
    scored = [
        (value, later > mid)
        for (value, mid), (_, later) in zip(found, found[AHEAD:], strict=False)
        if later != mid
    ]
    assert len(scored) > 1_000
    assert 0.80 < area_under_curve(scored) < 0.89

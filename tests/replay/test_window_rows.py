"""A model of windows learns from the very windows the engine asks its workers with, a lost book included."""

from __future__ import annotations

import gzip
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from app.dataset_command import build_dataset
from app.dataset_sources import BuildOptions, feeds_of
from pipeline.core.effects import RequestInference
from pipeline.core.engine import Engine
from pipeline.core.types import E6
from pipeline.research.rows import load_rows
from pipeline.runtime.row_tap import play
from tests.fakes.sessions import ROOT, synthetic_lines, write_capture

LINES = 8_000
WINDOW = 8
FEATURES = ("qi_1", "micro_dev", "qi_5", "tfi_1s")


class Kept:
    """A collector of rows alone."""

    def __init__(self) -> None:
        self.rows: list[RequestInference] = []

    def row(self, row: RequestInference) -> None:
        self.rows.append(row)

    def touch(self, ts_ns: int, bid_ticks: int, ask_ticks: int) -> None:
        pass

    def time(self, ts_ns: int) -> None:
        pass


def recorded() -> list[bytes]:
    path = ROOT.parent / "shared" / "data" / "hftbacktest" / "spot_btcusdt_20240808.gz"
    if not path.exists():
        pytest.skip("recorded market data is not here")
    with gzip.open(path) as lines:
        return [line.rstrip(b"\n") for line in islice(lines, 2 * LINES)]


def with_a_silence(lines: list[bytes]) -> list[bytes]:
    """Let nothing come for twelve seconds in the middle: the book is stale there and recovers."""
    half = len(lines) // 2
    return [*lines[:half], *(_later(line) for line in lines[half:])]


def _later(line: bytes) -> bytes:
    stamp, _, frame = line.partition(b" ")
    return b"%d %s" % (int(stamp) + 12 * 10 ** (len(stamp) - 10), frame)


@pytest.mark.parametrize("lines", [lambda: synthetic_lines(LINES), recorded], ids=["sim", "spot"])
def test_offline_windows_equal_what_the_engine_asks_with(tmp_path: Path, lines: object) -> None:
    assert callable(lines)
    capture = write_capture(tmp_path / "clip.txt", with_a_silence(lines()))
    options = BuildOptions((capture,), tmp_path / "set", features=",".join(FEATURES), horizons="500")
    build_dataset(options, lambda _: None)
    rows = load_rows(tmp_path / "set")
    table = rows.table(FEATURES, WINDOW)

    (feed,) = feeds_of(options)
    assert feed.params.model is not None
    params = replace(feed.params, model=replace(feed.params.model, window=WINDOW))
    kept = Kept()
    for _ in play(feed.start(Engine(params), kept)):
        pass

    asked = np.flatnonzero(table.whole)
    assert rows.epoch[0] < rows.epoch[-1]
    assert len(rows.ts_ns) > len(asked) > 100
    assert rows.ts_ns[asked].tolist() == [row.ts_ns for row in kept.rows]
    given = (np.array([row.row_e6 for row in kept.rows]) / E6).astype(np.float32)
    np.testing.assert_array_equal(table[asked], given)

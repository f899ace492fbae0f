"""A dataset holds, value for value, what the workers of a real session were given."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from app.dataset_command import build_dataset
from app.dataset_sources import BuildOptions
from pipeline.core.effects import Effect, RequestInference
from pipeline.core.engine import Engine
from pipeline.core.types import E6
from pipeline.research.dataset import read_page, read_parts
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.runtime.row_tap import play
from pipeline.wire.venues import codec_for
from tests.fakes.sessions import ROOT, replayed, synthetic_lines, write_capture

LINES = int(os.environ.get("LOBDECK_CAPTURE_LINES", "8000"))
"""Of each capture; a number larger than the captures proves every row of them, some minutes each."""


def rows_of_session(journal: Path) -> list[RequestInference]:
    """Give the rows the session of a journal asked its workers for, by replaying it as it was."""
    header, records = read_journal(journal)
    codec = codec_for(header.params.instruments[0].venue, {i.symbol: i for i in header.params.instruments})
    rows: list[RequestInference] = []

    def keep(effect: Effect) -> None:
        if type(effect) is RequestInference:
            rows.append(effect)

    for _ in play(JournalRun(Engine(header.params), codec, records, header.sources, keep)):
        pass
    return rows


def test_rows_of_capture_and_journal_equal_what_the_workers_got(tmp_path: Path) -> None:
    check_rows(write_capture(tmp_path / "clip.txt", synthetic_lines(LINES)), tmp_path)


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(
    "names",
    [
        ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"),
        ("usdm_btcusdt_20240718.gz", "usdm_btcusdt_20240719.gz"),
        ("usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz"),
    ],
    ids=["spot-2024", "usdm-2024", "usdm-2023"],
)
def test_rows_of_recorded_markets_equal_what_the_workers_got(tmp_path: Path, names: tuple[str, ...]) -> None:
    recorded = [ROOT.parent / "shared" / "data" / "hftbacktest" / name for name in names]
    if not all(path.exists() for path in recorded):
        pytest.skip("recorded market data is not here")
    lines = (line for path in recorded for line in lines_of(path))
    with (tmp_path / "clip.txt").open("wb") as clip:
        clip.writelines(islice(lines, LINES))
    check_rows(tmp_path / "clip.txt", tmp_path)


def test_rows_of_one_venue_among_several_equal_what_the_workers_got(tmp_path: Path) -> None:
    recorded = ROOT.parent / "shared" / "data" / "cryptofeed" / "BYBIT.jsonl.zst"
    if not recorded.exists():
        pytest.skip("recorded market data is not here")
    check_rows(recorded, tmp_path, "bybit-linear", "BTCUSDT")


def lines_of(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as lines:
        yield from lines


def check_rows(capture: Path, tmp_path: Path, venue: str = "", symbol: str = "") -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    replayed(home, str(capture), *(("--venue", venue) if venue else ()), "--journal", "--name", "taught")
    journal = home / "sessions" / "taught" / "journal"
    asked = [row for row in rows_of_session(journal) if symbol in ("", row.symbol)]
    header, _ = read_journal(journal)
    assert header.params.model is not None
    features = header.params.model.features

    found = {}
    for name, path in (("capture", capture), ("journal", journal)):
        folder = tmp_path / name
        options = BuildOptions(
            (path,),
            folder,
            symbol=symbol,
            features=",".join(features),
            horizons="500",
            venue=venue if name == "capture" else "",
        )
        build_dataset(options, lambda _: None)
        found[name] = list(read_parts(folder, read_page(folder)))[0]

    given = (np.array([row.row_e6 for row in asked]) / E6).astype(np.float32)
    assert len(given) > 300
    for columns in found.values():
        assert columns["ts_ns"].tolist() == [row.ts_ns for row in asked]
        for at, name in enumerate(features):
            assert columns[name].tobytes() == given[:, at].tobytes(), name
    for name, column in found["capture"].items():
        np.testing.assert_array_equal(column, found["journal"][name], err_msg=name)

"""A market whose moves are drawn from known odds, so that the best possible scores are known too.

Every two seconds a row is decided; half a second later the mid goes a tick up or down, or stays, and it is
back before the next row. The odds of up given a move are a logistic function of two features; the others say
nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.core.params import MS
from pipeline.core.registry import NAMES, schema_hash, schema_json
from pipeline.core.types import Fees, Instrument, SyncRule, Trigger
from pipeline.models.expectation import TRIGGER
from pipeline.models.venue_offer import CADENCES
from pipeline.research.dataset import (
    DATASET_VERSION,
    Column,
    DatasetPage,
    Part,
    Recipe,
    Source,
    write_page,
    write_part,
    write_touches,
)

FEATURES = ("qi_1", "micro_dev", "tfi_1s", "spread_t")
WEIGHTS = np.array([1.2, 1.5, 0.0, 0.0])
STEP_NS = 2_000 * MS
START_NS = 1_700_000_000_000_000_000
MOVE_RATE = 0.7
_MID_TICKS = 1_000_000

INSTRUMENT = Instrument(
    venue="binance",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    tick_units=1,
    size_decimals=8,
    lot_units=1_000,
    min_notional_quote_e8=5 * 10**8,
    max_qty_lots=900_000_000,
    sync_rule=SyncRule.CONTIGUOUS,
    fees=Fees(1_000, 1_000, "assumed"),
)


def recipe(part_rows: int = 5_000, features: tuple[str, ...] = FEATURES) -> Recipe:
    """Give the recipe such rows would have been built by."""
    cadence = CADENCES["binance"]
    return Recipe(
        features=features,
        schema_hash=schema_hash(features, cadence, TRIGGER),
        schema_json=schema_json(features, cadence, TRIGGER),
        cadence=cadence,
        trigger=TRIGGER,
        grid_ms=STEP_NS // MS,
        instrument=INSTRUMENT,
        delay_ms=100,
        horizons_ms=(500, 1_000),
        barrier_sigmas=0.05,
        part_rows=part_rows,
        format="npz",
        code_version="0",
    )


def write_planted(folder: Path, rows: int, seed: int) -> np.ndarray:
    """Write a dataset of planted rows; give the true P(up | a move) of each."""
    chance = np.random.default_rng(seed)
    values = chance.uniform(-1.0, 1.0, (rows, len(FEATURES))).astype(np.float32)
    values[:, 3] = np.abs(values[:, 3])
    odds = 1.0 / (1.0 + np.exp(-(values @ WEIGHTS)))
    moves = np.where(chance.uniform(size=rows) < odds, 1, -1) * (chance.uniform(size=rows) < MOVE_RATE)
    folder.mkdir(parents=True)
    part, path = _write_part(folder, 0, values, FEATURES, moves, last=True)
    source = Source((f"planted-{seed}",), ("0" * 64,))
    page = DatasetPage(DATASET_VERSION, recipe(), (source,), (0,), rows, rows, 0, (), (part,), (path,))
    write_page(folder, page)
    return np.asarray(odds)


def write_wide(folder: Path, rows: int, part_rows: int) -> None:
    """Write rows of every feature there is, in parts; queue imbalance alone says something."""
    chance = np.random.default_rng(1)
    folder.mkdir(parents=True)
    parts, paths = [], []
    for number, low in enumerate(range(0, rows, part_rows)):
        count = min(part_rows, rows - low)
        values = chance.uniform(-1.0, 1.0, (count, len(NAMES))).astype(np.float32)
        moves = np.where(chance.uniform(-1.0, 1.0, count) < values[:, NAMES.index("qi_1")], 1, -1)
        last = low + count == rows
        part, path = _write_part(folder, number, values, NAMES, moves, low=low, last=last)
        parts.append(part)
        paths.append(path)
    page = DatasetPage(
        version=DATASET_VERSION,
        recipe=recipe(part_rows, NAMES),
        sources=(Source(("wide",), ("0" * 64,)),),
        done=(0,),
        rows=rows,
        frames=rows,
        gaps=0,
        mix=(),
        parts=tuple(parts),
        touches=tuple(paths),
    )
    write_page(folder, page)


def _write_part(
    folder: Path,
    number: int,
    values: np.ndarray,
    features: tuple[str, ...],
    moves: np.ndarray,
    *,
    low: int = 0,
    last: bool,
) -> tuple[Part, Part]:
    rows = len(values)
    ts_ns = START_NS + (low + np.arange(rows, dtype=np.int64)) * STEP_NS
    touch_ns = np.stack([ts_ns - 1, ts_ns + 500 * MS], axis=1).ravel()
    bids = np.stack([np.full(rows, _MID_TICKS), _MID_TICKS + moves], axis=1).ravel().astype(np.int64)
    if last:
        touch_ns, bids = np.append(touch_ns, ts_ns[-1] + STEP_NS), np.append(bids, 0)
    columns: dict[str, Column] = {
        "ts_ns": ts_ns,
        "trigger": np.full(rows, int(Trigger.GRID), dtype=np.int8),
        "epoch": np.zeros(rows, dtype=np.int32),
        "bid_ticks": np.full(rows, _MID_TICKS, dtype=np.int64),
        "ask_ticks": np.full(rows, _MID_TICKS + 1, dtype=np.int64),
        **{name: values[:, at].copy() for at, name in enumerate(features)},
    }
    touches: dict[str, Column] = {
        "ts_ns": touch_ns,
        "bid_ticks": bids,
        "ask_ticks": np.where(bids > 0, bids + 1, 0),
    }
    return write_part(folder, number, 0, columns, "npz"), write_touches(folder, number, 0, touches, "npz")

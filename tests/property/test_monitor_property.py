"""A monitor fed event by event says what numpy says of the whole sample, and survives a restart."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.model_monitor import ModelMonitor, logit_of
from pipeline.core.monitor_state import MonitorState
from pipeline.core.params import MS, SECOND, WatchParams
from pipeline.core.reliability import CALLS_KEPT
from pipeline.core.skill import LN2_E6, student_95
from pipeline.core.symbol_watch import SymbolWatch
from pipeline.core.types import E6
from pipeline.research.labels import TouchPath, Window, mid_returns
from pipeline.research.scores import calibration_error
from tests.fakes import monitor_reference as reference
from tests.fakes.engines import MODEL

Floats = npt.NDArray[np.float64]
EDGES = (-600_000, -400_000, -200_000, -100_000, 0, 100_000, 200_000, 400_000, 600_000)


@dataclass(frozen=True)
class Sample:
    """A market, the rows asked in it, and what a model answered to some of them."""

    path: TouchPath
    ts_ns: npt.NDArray[np.int64]
    units: npt.NDArray[np.int64]
    """Bid and ask size at each row, [n, 2]."""
    p_up: Floats
    answered: npt.NDArray[np.bool_]
    window: Window


def sample(seed: int, rows: int, lost: float, skilled: float, horizon_ms: int) -> Sample:
    """Make a market of a random walk whose moves the sizes foretell a little, and a model that reads them."""
    chance = np.random.default_rng(seed)
    path_ns = np.cumsum(chance.integers(1, 400, rows)) * MS
    mid = 20_000 + np.cumsum(chance.integers(-1, 2, rows)) * 2
    gone = chance.random(rows) < lost
    bid = np.where(gone, 0, (mid - 1) // 2)
    ts_ns = np.sort(chance.choice(int(path_ns[-1] // MS) - 1, rows, replace=False)) * MS + 1
    window = Window(100 * MS, horizon_ms * MS)
    path = TouchPath(path_ns, bid, np.where(gone, 0, bid + 1), int(path_ns[-1]) + 10 * SECOND)
    move = np.nan_to_num(np.sign(mid_returns(path, ts_ns, window)))
    lean = np.clip(chance.normal(0.0, 1.0, rows) + 0.5 * move, -3.0, 3.0)
    units = np.stack([1_000 + 300 * lean, 1_000 - 300 * lean], axis=1).astype(np.int64)
    p_up = 1.0 / (1.0 + np.exp(-skilled * (lean + chance.normal(0.0, 0.5, rows))))
    return Sample(path, ts_ns, units, p_up, chance.random(rows) < 0.95, window)


def fed(one: Sample, params: WatchParams | None = None) -> ModelMonitor:
    """Hand the sample to a monitor as an engine does: each event at its time, nothing of the future."""
    spec = msgspec.structs.replace(
        MODEL, delay_ms=100, horizon_ms=one.window.horizon_ns // MS, reference_e6=(EDGES,)
    )
    watch = SymbolWatch(spec, params or WatchParams())
    events = [(int(t), 0, place) for place, t in enumerate(one.path.ts_ns)]
    events += [(int(t), 1, place) for place, t in enumerate(one.ts_ns)]
    events += [(int(t) + 2 * MS, 2, place) for place, t in enumerate(one.ts_ns) if one.answered[place]]
    events += [(t, 3, 0) for t in range(0, one.path.end_ns, 700 * MS)]
    mid = 0
    for ts_ns, kind, place in sorted(events):
        if kind == 0:
            watch.advance(ts_ns, mid)
            mid = int(one.path.bid_ticks[place] + one.path.ask_ticks[place])
            if not mid:
                watch.forget()
        elif kind == 1 and mid:
            bid_units, ask_units = (int(each) for each in one.units[place])
            watch.asked(place, ts_ns, bid_units, ask_units, (imbalances_e6(one)[place],))
        elif kind == 2:
            p_up = float(one.p_up[place])
            watch.answered(place, 1.0 - p_up, 0.0, p_up)
        elif kind == 3:
            watch.advance(ts_ns, mid)
    watch.advance(one.path.end_ns, mid)
    assert watch.live is not None
    return watch.live


def imbalances_e6(one: Sample) -> list[int]:
    """Give the queue imbalance of each row."""
    return [int((b - a) * E6 // (b + a)) for b, a in one.units.tolist()]


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([60, 300, 1_000]),
    lost=st.sampled_from([0.0, 0.02]),
    skilled=st.sampled_from([-1.0, 0.3, 1.0, 2.5]),
    horizon_ms=st.sampled_from([200, 1_000, 6_000]),
)
def test_streaming_is_recomputation(
    seed: int, rows: int, lost: float, skilled: float, horizon_ms: int
) -> None:
    one = sample(seed, rows, lost, skilled, horizon_ms)
    monitor = fed(one)
    kept = reference.followed(one.path, one.ts_ns, one.window)
    known = reference.known(one.path, one.ts_ns[kept], one.window)
    scored = kept[known & one.answered[kept]]
    assert monitor.void == int((~known).sum())
    assert monitor.unanswered == int((known & ~one.answered[kept]).sum())

    raw = np.array([logit_of(1.0 - p, p) for p in one.p_up[scored].tolist()])
    lean = np.array(imbalances_e6(one))[scored] / E6
    calls = reference.calls_of(one.path, one.ts_ns[scored], raw, lean, one.window)
    assert monitor.flat == len(scored) - len(calls.up)
    assert [block.values() for block in monitor.blocks] == reference.blocks(calls, one.window.horizon_ns)
    assert monitor.temperature.value == reference.multiplier(calls)
    assert_reliable(monitor, 1.0 / (1.0 + np.exp(-calls.raw)), calls.up)
    assert_skill(monitor)
    counts = np.histogram(np.array(imbalances_e6(one))[kept], (-np.inf, *EDGES, np.inf))[0]
    assert monitor.drift.state() == (len(kept), (tuple(counts.tolist()),))


def assert_reliable(monitor: ModelMonitor, p_up: Floats, up: npt.NDArray[np.bool_]) -> None:
    """Compare Brier score, calibration error, bias and deciles over the newest calls."""
    got, p_up, up = monitor.recent.reliability(), p_up[-CALLS_KEPT:], up[-CALLS_KEPT:]
    assert got.calls == len(up)
    if not len(up):
        return
    rounded = np.round(p_up * E6) / E6
    assert got.brier_e6 == pytest.approx(((rounded - up) ** 2).mean() * E6, abs=2)
    assert got.ece_e6 == pytest.approx(calibration_error(rounded, up) * E6, abs=2)
    assert got.bias_e6 == pytest.approx((rounded - up).mean() * E6, abs=2)
    order = np.argsort(rounded, kind="stable")
    parts = [part for part in np.array_split(order, 10) if len(part)]
    if len(got.deciles) == len(parts):
        assert [d.calls for d in got.deciles] == [len(part) for part in parts]
        assert [d.up_e6 for d in got.deciles] == [int(E6 * up[p].sum() // len(p)) for p in parts]


def assert_skill(monitor: ModelMonitor) -> None:
    """Compare the interval with one computed from the blocks' residuals in numpy."""
    blocks = [block for block in monitor.blocks if block.moved]
    if len(blocks) < 8:
        assert not monitor.over_constant().known
        return
    base = np.array([block.moved * LN2_E6 for block in blocks], dtype=float)
    gain = base - np.array([block.loss_e6 for block in blocks], dtype=float)
    ratio = gain.sum() / base.sum()
    spread = np.sqrt(((gain - ratio * base) ** 2).sum() * len(blocks) / (len(blocks) - 1)) / base.sum()
    reach = student_95(len(blocks) - 1) * spread
    skill = monitor.over_constant()
    assert skill.skill_e6 == pytest.approx(ratio * E6, abs=1)
    assert (skill.low_e6, skill.high_e6) == pytest.approx(((ratio - reach) * E6, (ratio + reach) * E6), abs=2)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.sampled_from([60, 900]))
def test_a_restart_goes_on_from_the_same_state(seed: int, rows: int) -> None:
    one = fed(sample(seed, rows, 0.0, 1.0, 1_000))
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(one.state(7)), type=MonitorState)
    again = ModelMonitor(one.spec, WatchParams(trade_unproven=False))
    assert again.restore(saved)
    assert again.state(7) == one.state(7) or not one.gate.decided
    assert again.recent.reliability() == one.recent.reliability()
    assert again.over_constant() == one.over_constant()
    assert (again.temperature.value, again.slope.value) == (one.temperature.value, one.slope.value)


def test_a_record_of_another_file_row_or_outcome_is_refused() -> None:
    one = fed(sample(1, 400, 0.0, 1.0, 1_000))
    for change in ({"model_id": "other"}, {"schema_hash": "other"}, {"horizon_ms": 999}, {"delay_ms": 0}):
        other = ModelMonitor(msgspec.structs.replace(one.spec, **change), WatchParams())
        assert not other.restore(one.state(7))
        assert not other.blocks

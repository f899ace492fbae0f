"""Rows and labels from a capture of stamped lines, made by the engine that runs live.

The rows are the engine's own `RequestInference` effects, so training sees exactly what a worker would. A
label compares the mids `delay` and `delay + horizon` after the decision, each the last one known at its
instant on the receive clock; nothing is taken from after it.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.core.effects import RequestInference
from pipeline.core.engine import Engine
from pipeline.core.inputs import TimerBeat
from pipeline.core.params import (
    MS,
    DecisionParams,
    EngineParams,
    ExecutionParams,
    HealthParams,
    ModelSpec,
    PermitParams,
    SizingParams,
)
from pipeline.core.types import E6, Authority, BookState, Instrument, VenueMode
from pipeline.wire.venues import codec_for

BEAT_NS = 10 * MS
_NS_FROM = 10**17

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CapturedRows:
    """Rows of one capture in order of time, and the path of the mid."""

    features: tuple[str, ...]
    ts_ns: npt.NDArray[np.int64]
    """Decision times, [n]."""
    values: Floats
    """[n, features], as the worker gets them."""
    mid_ts_ns: npt.NDArray[np.int64]
    """Receive times at which the mid changed, [m]."""
    mid_half_ticks: Floats
    """Twice the mid from then on, in ticks, [m]."""

    def of(self, names: Sequence[str]) -> Floats:
        """Give the columns of some features, in that order, [n, names]."""
        return self.values[:, [self.features.index(name) for name in names]]

    def returns(self, delay_ms: int, horizon_ms: int) -> Floats:
        """Give mid(t + delay + horizon) / mid(t + delay) - 1 for each row; NaN past the capture's end."""
        start_ns = self.ts_ns + delay_ms * MS
        end_ns = start_ns + horizon_ms * MS
        result = self._mid_at(end_ns) / self._mid_at(start_ns) - 1.0
        result[end_ns > self.mid_ts_ns[-1]] = np.nan
        return result

    def _mid_at(self, ts_ns: npt.NDArray[np.int64]) -> Floats:
        return self.mid_half_ticks[np.searchsorted(self.mid_ts_ns, ts_ns, side="right") - 1]


def read_stamped(paths: Sequence[Path]) -> Iterator[tuple[int, bytes]]:
    """Yield (receive time in ns, frame) of gzipped stamped lines; stamps may be in us or ns."""
    for path in paths:
        with gzip.open(path) as lines:
            for line in lines:
                stamp, _, frame = line.partition(b" ")
                ts_ns = int(stamp)
                yield (ts_ns if ts_ns >= _NS_FROM else ts_ns * 1_000), frame


def capture_rows(
    paths: Sequence[Path], instrument: Instrument, features: Sequence[str], decision: DecisionParams
) -> CapturedRows:
    """Run the engine over a capture and keep every row it asks for.

    Raises:
        ValueError: the capture gives no row at all, or a feature has no such name.
    """
    return framed_rows(read_stamped(paths), instrument, features, decision)


def framed_rows(
    frames: Iterable[tuple[int, bytes]],
    instrument: Instrument,
    features: Sequence[str],
    decision: DecisionParams,
) -> CapturedRows:
    """Run the engine over (receive time in ns, frame) in order of time and keep every row it asks for.

    Raises:
        ValueError: the frames give no row at all, or a feature has no such name.
    """
    engine = Engine(_params(instrument, tuple(features), decision))
    codec = codec_for(instrument.venue, {instrument.symbol: instrument})
    rows: list[RequestInference] = []
    mids: list[tuple[int, int]] = []
    beat_ns = 0
    for ts_ns, frame in frames:
        beat_ns = beat_ns or ts_ns // BEAT_NS * BEAT_NS
        events = []
        while beat_ns + BEAT_NS <= ts_ns:
            beat_ns += BEAT_NS
            events.append(TimerBeat(beat_ns))
        for event in (*events, *codec.decode(frame, ts_ns, 0, instrument.symbol)):
            rows += [effect for effect in engine.handle(event) if type(effect) is RequestInference]
        _note_mid(engine, instrument.symbol, ts_ns, mids)
    if not rows:
        raise ValueError("no row: the book never became ready")
    return CapturedRows(
        features=tuple(features),
        ts_ns=np.array([row.ts_ns for row in rows]),
        values=np.array([row.row_e6 for row in rows], dtype=np.float64) / E6,
        mid_ts_ns=np.array([ts_ns for ts_ns, _ in mids]),
        mid_half_ticks=np.array([mid for _, mid in mids], dtype=np.float64),
    )


def _note_mid(engine: Engine, symbol: str, ts_ns: int, mids: list[tuple[int, int]]) -> None:
    book = engine.synced_book(symbol)
    if book is None or book.state is not BookState.SYNCED:
        return
    bid, _, ask, _ = book.l1
    if 0 < bid < ask and (not mids or mids[-1][1] != bid + ask):
        mids.append((ts_ns, bid + ask))


def _params(instrument: Instrument, features: tuple[str, ...], decision: DecisionParams) -> EngineParams:
    return EngineParams(
        mode=VenueMode.REPLAY,
        authority=Authority.OBSERVE,
        instruments=(instrument,),
        model=ModelSpec("", "rows", 0, "", features, 1000, True, 1, 1, 1),
        decision=decision,
        sizing=SizingParams(),
        execution=ExecutionParams(),
        permits=PermitParams(),
        limits={},
        health=HealthParams(),
    )

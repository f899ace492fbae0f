"""Two minutes of a recorded market through an engine: its monitor says what numpy says of the same path."""

from __future__ import annotations

from math import exp
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from pipeline.core.effects import RequestInference
from pipeline.core.engine import Engine
from pipeline.core.inputs import Input, PredictionReceived, TimerBeat
from pipeline.core.model_monitor import logit_of
from pipeline.core.types import E6, Authority
from pipeline.research.labels import TouchPath, Window
from pipeline.runtime.capture import open_capture
from pipeline.wire.venues import codec_for
from tests.fakes import monitor_reference as reference
from tests.fakes.engines import FREE, MODEL, MS, engine_params

CAPTURE = Path(__file__).resolve().parents[3] / "shared" / "data" / "hftbacktest" / "spot_btcusdt_20240808.gz"
SECONDS = 120
BEAT_NS = 10 * MS
ANSWER_NS = 2 * MS
SLOPE = 1.66349
WINDOW = Window(100 * MS, 1_000 * MS)

pytestmark = [
    pytest.mark.skipif(not CAPTURE.exists(), reason="recorded market data (../shared/data) is not here"),
    pytest.mark.timeout(120),
]


class Played:
    """An engine fed from a capture, with queue imbalance answering each row; keeps path and rows."""

    def __init__(self) -> None:
        model = replace(MODEL, delay_ms=100)
        self.engine = Engine(engine_params(model=model, authority=Authority.OBSERVE))
        self.path: list[tuple[int, int, int]] = []
        self.rows: list[tuple[int, int]] = []
        """Decision time and queue imbalance in 1e-6."""
        self._answers: list[tuple[int, RequestInference]] = []

    def put(self, event: Input, ts_ns: int) -> None:
        """Hand over one input; note the touch after it and the rows it asked for."""
        effects = self.engine.handle(event)
        book = self.engine.synced_book("BTCUSDT")
        assert book is not None
        bid, _, ask, _ = book.l1
        touch = (bid, ask) if book.is_synced and 0 < bid < ask else (0, 0)
        if not self.path or self.path[-1][1:] != touch:
            self.path.append((ts_ns, *touch))
        for effect in effects:
            if isinstance(effect, RequestInference):
                self.rows.append((effect.ts_ns, effect.row_e6[0]))
                self._answers.append((ts_ns + ANSWER_NS, effect))

    def answer(self, until_ns: int) -> None:
        """Let the model answer what is due."""
        while self._answers and self._answers[0][0] <= until_ns:
            due_ns, row = self._answers.pop(0)
            self.put(prediction(row, due_ns), due_ns)


def prediction(row: RequestInference, ts_ns: int) -> PredictionReceived:
    """Give queue imbalance's answer."""
    p_up = p_of(row.row_e6[0])
    return PredictionReceived(
        symbol=row.symbol,
        model_id=row.model_id,
        generation=row.generation,
        schema_hash=row.schema_hash,
        feature_seq=row.feature_seq,
        p_down=1.0 - p_up,
        p_flat=0.0,
        p_up=p_up,
        horizon_ms=1_000,
        started_ns=row.ts_ns,
        finished_ns=ts_ns,
        worker_id=0,
        epoch=row.epoch,
        ts_ns=ts_ns,
    )


def p_of(imbalance_e6: int) -> float:
    """Give P(up) of a queue imbalance."""
    return 1.0 / (1.0 + exp(-SLOPE * imbalance_e6 / E6))


@pytest.fixture(scope="module")
def played() -> Played:
    """Play the first two minutes."""
    one, codec = Played(), codec_for("binance", {"BTCUSDT": FREE})
    beat_ns = first_ns = 0
    for frame in open_capture((CAPTURE,)):
        ts_ns = frame.ts_recv_ns
        first_ns = first_ns or ts_ns
        beat_ns = beat_ns or ts_ns // BEAT_NS * BEAT_NS
        if ts_ns > first_ns + SECONDS * 1_000 * MS:
            break
        while beat_ns + BEAT_NS < ts_ns:
            beat_ns += BEAT_NS
            one.answer(beat_ns)
            one.put(TimerBeat(beat_ns), beat_ns)
        one.answer(ts_ns - 1)
        for event in codec.decode(frame.payload, ts_ns, 0):
            one.put(event, ts_ns)
    return one


def test_the_engine_judges_as_training_labels(played: Played) -> None:
    live = played.engine.state.desks["BTCUSDT"].watch.live
    assert live is not None
    times, bids, asks = (np.array(column, dtype=np.int64) for column in zip(*played.path, strict=True))
    path = TouchPath(times, bids, asks, played.engine.state.now_ns - 1)
    ts_ns = np.array([row[0] for row in played.rows], dtype=np.int64)
    kept = reference.followed(path, ts_ns, WINDOW)
    kept = kept[reference.known(path, ts_ns[kept], WINDOW)]
    imbalances = np.array([row[1] for row in played.rows])[kept]
    raw = np.array([logit_of(1.0 - p_of(one), p_of(one)) for one in imbalances.tolist()])
    calls = reference.calls_of(path, ts_ns[kept], raw, imbalances / E6, WINDOW)
    wanted = reference.blocks(calls, WINDOW.horizon_ns)
    assert len(wanted) >= 10
    assert sum(block[2] for block in wanted) > 200
    got = [block.values() for block in live.blocks]
    assert [one[:5] for one in got] == [one[:5] for one in wanted]
    assert [one[5] for one in got] == pytest.approx([one[5] for one in wanted], abs=2_000)


def test_a_right_model_is_not_called_worse(played: Played) -> None:
    live = played.engine.state.desks["BTCUSDT"].watch.live
    assert live is not None
    assert live.over_constant().skill_e6 > 50_000

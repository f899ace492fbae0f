"""What the model's table says of drift: numbers from enough rows on, words before, nothing without bins."""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.core.snapshot_model import DRIFT_WAITS, DriftView
from tests.fakes.snapshots import make_snapshot
from widgets.lines import line_text
from widgets.tables import ModelPanel


def said(index_e6: int) -> str:
    """Give the whole panel's text where every feature has this index."""
    snapshot = make_snapshot()
    model = snapshot.model
    assert model is not None
    assert model.watch is not None
    drift = tuple(DriftView(one.feature, index_e6) for one in model.watch.drift)
    watched = replace(model, watch=replace(model.watch, drift=drift))
    lines = ModelPanel().content(replace(snapshot, model=watched), 100, 20)
    return "\n".join(line_text(line) for line in lines)


def test_an_index_is_shown_from_enough_rows_on() -> None:
    assert "1.78" in said(1_780_000)
    assert "PSI, explains only):  -- not enough rows" in said(DRIFT_WAITS)
    assert "PSI" not in said(-1)

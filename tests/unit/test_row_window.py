"""Which rows stand before a row, and what an engine asks for when its model reads several."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipeline.core.effects import RequestInference
from pipeline.core.registry import MAX_WINDOW, schema_json
from pipeline.core.row_window import RowWindow
from pipeline.core.types import Trigger
from pipeline.models.expectation import TRIGGER
from pipeline.models.venue_offer import CADENCES
from tests.fakes.engines import MODEL, MS, UNITS, Floor, engine_params
from tests.fakes.trading import ASK, BID

GRID_NS = 100 * MS
SCHEMA = (("qi_1",), CADENCES["binance"], TRIGGER)


def filled(rows: int = 3) -> RowWindow:
    window = RowWindow(rows, GRID_NS)
    for at in range(rows - 1):
        assert window.joined(Trigger.GRID, (at, -at), at * GRID_NS) == ()
    return window


def test_a_window_is_the_newest_rows_of_the_grid_and_the_row_itself() -> None:
    window = filled()
    assert window.joined(Trigger.L1_CHANGE, (7, -7), 150 * MS) == (0, 0, 1, -1, 7, -7)
    assert window.joined(Trigger.GRID, (2, -2), 200 * MS) == (0, 0, 1, -1, 2, -2)
    assert window.joined(Trigger.GRID, (3, -3), 300 * MS) == (1, -1, 2, -2, 3, -3)


def test_a_window_reaches_over_missing_rows_and_not_for_ever() -> None:
    window = filled()
    assert window.joined(Trigger.L1_CHANGE, (7, 7), 600 * MS)
    assert not window.whole(600 * MS + 1)
    assert window.joined(Trigger.L1_CHANGE, (7, 7), 600 * MS + 1) == ()


def test_a_cleared_window_begins_again() -> None:
    window = filled()
    window.clear()
    assert window.joined(Trigger.GRID, (2, -2), 200 * MS) == ()


def test_an_engine_asks_with_whole_windows_alone() -> None:
    model = replace(MODEL, features=("qi_1", "spread_t"), window=4)
    floor = Floor(engine_params(model=model)).warm()
    single = Floor(engine_params(model=replace(model, window=1))).warm()
    joined, alone = (one.of(RequestInference, one.busy_ms(800)) for one in (floor, single))

    assert model.width == 8
    assert {len(row.row_e6) for row in joined} == {8}
    whole = joined[-1]
    newest = [row.row_e6 for row in alone if row.ts_ns <= whole.ts_ns][-4:]
    assert whole.row_e6 == sum(newest, ())
    assert floor.engine.counts()["features"] < single.engine.counts()["features"]


def test_a_lost_book_ends_the_window_and_the_screen_says_not_ready() -> None:
    floor = Floor(engine_params(model=replace(MODEL, features=("qi_1",), window=4))).warm()
    floor.busy_ms(800)
    assert floor.picture().score.ready
    floor.update(skip=3)
    floor.snapshot()
    effects = [*floor.update(), *floor.ticker(BID, ASK, UNITS, UNITS // 2)]

    assert not floor.of(RequestInference, effects)
    assert not floor.picture().score.ready
    assert floor.picture().chain.stopped == "NOT_READY"
    assert floor.of(RequestInference, floor.busy_ms(800))


def test_a_window_is_part_of_the_schema_and_bounded() -> None:
    assert schema_json(*SCHEMA, 16) != schema_json(*SCHEMA)
    assert schema_json(*SCHEMA, 1) == schema_json(*SCHEMA)
    for window in (0, -1, MAX_WINDOW + 1):
        with pytest.raises(ValueError, match="a window of"):
            schema_json(*SCHEMA, window)

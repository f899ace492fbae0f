"""The window an engine keeps and the one found in a dataset are the same, whatever comes and is lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.params import MS
from pipeline.core.row_window import RowWindow
from pipeline.core.types import Trigger
from pipeline.research.row_table import row_table

GRID_NS = 100 * MS
STEPS = st.tuples(st.integers(0, 400), st.sampled_from(Trigger), st.sampled_from((0, 0, 0, 0, 1)))


@given(st.lists(STEPS, min_size=1, max_size=60), st.integers(2, 8))
@settings(max_examples=150)
def test_streamed_and_looked_up_windows_agree(steps: list[tuple[int, Trigger, int]], rows: int) -> None:
    ts_ns = np.cumsum([step * MS for step, _, _ in steps])
    epoch = np.cumsum([lost for _, _, lost in steps]).astype(np.int32)
    trigger = np.array([int(trigger) for _, trigger, _ in steps], dtype=np.int8)
    values = np.arange(2 * len(steps), dtype=np.float32).reshape(-1, 2)
    table = row_table(values, np.array([0, 1]), rows, (ts_ns, trigger, epoch), GRID_NS)

    window = RowWindow(rows, GRID_NS)
    for at, (_, asked_by, lost) in enumerate(steps):
        if lost:
            window.clear()
        streamed = window.joined(asked_by, (2 * at, 2 * at + 1), int(ts_ns[at]))
        assert bool(streamed) == table.whole[at]
        if streamed:
            assert table[np.array([at])][0].tolist() == list(streamed)
    part = slice(len(steps) // 2, None)
    np.testing.assert_array_equal(table[part], table[np.arange(len(steps))[part]])

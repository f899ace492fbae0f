"""The rolling funnel equals a recount of the raw events of the last 60 s."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.funnel import WINDOW_S, Funnel, Stage
from pipeline.core.types import DenyReason
from tests.fakes.decisions import SECOND, START

STEPS = st.lists(
    st.tuples(
        st.integers(0, 90 * SECOND),
        st.one_of(st.sampled_from(Stage), st.sampled_from(DenyReason)),
    ),
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_running_totals_equal_a_recount(steps: list[tuple[int, Stage | DenyReason]]) -> None:
    funnel, seen, now_ns = Funnel(), [], START
    for gap_ns, event in steps:
        now_ns += gap_ns
        if isinstance(event, Stage):
            funnel.count(event, now_ns)
        else:
            funnel.stop(event, now_ns)
        seen.append((now_ns // SECOND, event))
        recent = Counter(event for second, event in seen if now_ns // SECOND - second < WINDOW_S)
        counts = funnel.last_minute(now_ns)
        assert counts.stages == tuple(recent[stage] for stage in Stage)
        assert dict(counts.stopped) == {reason: recent[reason] for reason in DenyReason if recent[reason]}
    assert sum(funnel.session().stages) == sum(isinstance(event, Stage) for _, event in steps)

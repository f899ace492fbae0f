"""The funnel counts each step once, by reason, and forgets after 60 s."""

from __future__ import annotations

import pytest

from pipeline.core.decision import Decider
from pipeline.core.funnel import Funnel, Stage
from pipeline.core.types import DenyReason
from tests.fakes.decisions import SECOND, START, a_decision, all_terms, with_fees


def test_empty_funnel_counts_nothing() -> None:
    counts = Funnel().last_minute(START)
    assert counts.stages == (0,) * len(Stage)
    assert counts.stopped == ()


def test_decisions_fall_out_at_the_step_that_stops_them() -> None:
    funnel = Funnel()
    funnel.decided(a_decision(0.5))
    funnel.decided(a_decision(0.8, decider=Decider(all_terms(instrument=with_fees(900, 900)))))
    funnel.decided(a_decision(0.8))
    counts = funnel.last_minute(START)
    assert [counts.of(stage) for stage in (Stage.DECISIONS, Stage.PAST_ENTRY, Stage.PAYS)] == [3, 2, 1]
    assert counts.stopped == ((DenyReason.EDGE_BELOW_COST, 1), (DenyReason.SCORE_BELOW_ENTRY, 1))


def test_most_frequent_stop_comes_first() -> None:
    funnel = Funnel()
    funnel.stop(DenyReason.MODE, START)
    for _ in range(3):
        funnel.stop(DenyReason.MAX_POSITION, START)
    assert funnel.last_minute(START).stopped == ((DenyReason.MAX_POSITION, 3), (DenyReason.MODE, 1))


def test_count_is_gone_after_sixty_seconds_and_kept_for_the_session() -> None:
    funnel = Funnel()
    funnel.count(Stage.OFFERED, START)
    assert funnel.last_minute(START + 59 * SECOND).of(Stage.OFFERED) == 1
    assert funnel.last_minute(START + 60 * SECOND).of(Stage.OFFERED) == 0
    assert funnel.session().of(Stage.OFFERED) == 1


def test_long_silence_clears_every_bucket_once() -> None:
    funnel = Funnel()
    for second in range(60):
        funnel.count(Stage.SENT, START + second * SECOND)
    assert funnel.last_minute(START + 59 * SECOND).of(Stage.SENT) == 60
    assert funnel.last_minute(START + 9_000 * SECOND).of(Stage.SENT) == 0


@pytest.mark.parametrize("back_s", [1, 5])
def test_time_that_went_back_counts_as_now(back_s: int) -> None:
    funnel = Funnel()
    funnel.count(Stage.SENT, START)
    funnel.count(Stage.SENT, START - back_s * SECOND)
    assert funnel.last_minute(START + 59 * SECOND).of(Stage.SENT) == 2
    assert funnel.last_minute(START + 60 * SECOND).of(Stage.SENT) == 0

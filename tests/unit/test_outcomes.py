"""Calls are judged at their horizon, once, by the mid."""

from __future__ import annotations

from pipeline.core.outcomes import Outcomes

S = 1_000_000_000


def test_calls_are_judged_at_their_horizon() -> None:
    outcomes = Outcomes(S)
    outcomes.note(+300_000, 1_000, 10 * S)
    outcomes.mature(1_010, 10 * S + S // 2)
    assert outcomes.marks == ""
    outcomes.mature(1_010, 11 * S)
    outcomes.note(-300_000, 1_010, 11 * S)
    outcomes.mature(1_020, 12 * S)
    outcomes.note(-300_000, 1_020, 12 * S)
    outcomes.mature(1_020, 13 * S)
    assert outcomes.marks == "+-."


def test_neighbouring_rows_are_one_call() -> None:
    outcomes = Outcomes(S)
    for step in range(10):
        outcomes.note(300_000, 1_000, 10 * S + step * S // 10)
    outcomes.mature(1_001, 20 * S)
    assert outcomes.marks == "+"


def test_no_score_no_mid_and_breaks_make_no_marks() -> None:
    outcomes = Outcomes(S)
    outcomes.note(0, 1_000, S)
    outcomes.note(300_000, 0, 2 * S)
    outcomes.note(300_000, 1_000, 3 * S)
    outcomes.forget()
    outcomes.note(300_000, 1_000, 5 * S)
    outcomes.mature(0, 6 * S)
    outcomes.mature(1_001, 7 * S)
    assert outcomes.marks == ""

"""How `bench` judges what it measured, and how it prints it."""

from __future__ import annotations

import json
import math

import pytest

from app.bench_report import Budget, Row, Verdict, json_text, number_text, table


@pytest.mark.parametrize(
    ("budget", "measured", "verdict"),
    [
        (Budget(1.6), 1.59, Verdict.MET),
        (Budget(1.6), 1.6, Verdict.MET),
        (Budget(1.6), 1.61, Verdict.MISSED),
        (Budget(3.5, at_least=True), 3.5, Verdict.MET),
        (Budget(3.5, at_least=True), 3.4, Verdict.MISSED),
        (Budget(1.6), math.nan, Verdict.MISSED),
        (Budget(3.5, at_least=True), math.nan, Verdict.MISSED),
        (None, 3.0, Verdict.UNJUDGED),
        (Budget(1.6), None, Verdict.UNJUDGED),
    ],
)
def test_a_value_is_judged_by_its_budget(
    budget: Budget | None, measured: float | None, verdict: Verdict
) -> None:
    assert Row("it", "x", measured, budget).verdict is verdict


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.5449, "x", "1.54 x"),
        (39.32, "us", "39.3 us"),
        (448.2, "us", "448 us"),
        (-0.5, "MB", "-0.50 MB"),
        (24_127.4, "frames/s", "24,127 frames/s"),
        (4_514.9, "B/s", "4,515 B/s"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float, unit: str, text: str) -> None:
    assert number_text(value, unit) == text


ROWS = [
    Row("fast thing", "x", 1.2, Budget(1.6), "side by side", machine="load 2.1"),
    Row("slow thing, p50", "us", 150.0, Budget(120.0), profile="most of it waits"),
    Row("peer / ours", "x", None, Budget(3.5, at_least=True), "not installed"),
    Row("no budget", "us", 4.4),
]


def test_table_has_a_line_for_each_and_a_profile_below_what_missed() -> None:
    assert table(ROWS, ["lobdeck 0.1.0", "load average 0.1"], ["the venue"]).splitlines() == [
        "lobdeck 0.1.0",
        "load average 0.1",
        "",
        "what             budget     measured  verdict  machine   note",
        "fast thing       <= 1.60 x  1.20 x    met      load 2.1  side by side",
        "slow thing, p50  <= 120 us  150 us    MISSED",
        "  profile: most of it waits",
        "peer / ours      >= 3.50 x  not here  -                  not installed",
        "no budget                   4.40 us   -",
        "",
        "not measured here: the venue",
    ]


def test_json_says_the_same() -> None:
    content = json.loads(json_text(ROWS, ["lobdeck 0.1.0"], quick=True, missing=["the venue"]))
    assert content["quick"] is True
    assert content["not_measured"] == ["the venue"]
    assert [row["verdict"] for row in content["rows"]] == ["met", "MISSED", "-", "-"]
    assert content["rows"][1] == {
        "what": "slow thing, p50",
        "unit": "us",
        "measured": 150.0,
        "budget": 120.0,
        "at_least": False,
        "verdict": "MISSED",
        "note": "",
        "profile": "most of it waits",
        "machine": "",
    }
    assert content["rows"][2]["measured"] is None
    assert content["rows"][2]["at_least"] is True
    assert content["rows"][3]["budget"] is None

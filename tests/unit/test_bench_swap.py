"""What `lobdeck bench --only swap` calls lost or wrong, it calls missed."""

from __future__ import annotations

from typing import Any

import pytest

from app import bench_swap
from app.bench_report import Verdict
from app.bench_swap import Course, Used


def summary(**changes: Any) -> dict[str, Any]:
    fine = {"gaps": 0, "wire_errors": 0, "feed": {"lost": 0}, "frames": 60_000, "effects_sha256": "aa"}
    return {**fine, "features": 900, "predictions": 900, **changes}


def verdicts(said: dict[str, Any], **found: Any) -> list[Verdict]:
    used = Used(**{"decided": 800, "swaps": 40, "effects_sha256": "aa", **found})
    return [row.verdict for row in bench_swap.rows(Course([20.0, 30.0], [], 42.0, 1), said, used)[:3]]


def test_swaps_that_lost_and_mixed_nothing_are_within_every_budget() -> None:
    assert verdicts(summary()) == [Verdict.MET] * 3


@pytest.mark.parametrize(
    ("said", "found", "missed"),
    [
        ({"gaps": 1}, {}, 0),
        ({"wire_errors": 2}, {}, 0),
        ({"feed": {"lost": 1}}, {}, 0),
        ({}, {"wrong": 1}, 1),
        ({}, {"effects_sha256": "bb"}, 2),
    ],
)
def test_each_thing_a_swap_must_not_do_misses_its_budget(
    said: dict[str, Any], found: dict[str, Any], missed: int
) -> None:
    seen = verdicts(summary(**said), **found)
    assert [at for at, one in enumerate(seen) if one is Verdict.MISSED] == [missed]

"""`lobdeck simulate`: what it says of seeds that hold and of one that does not."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.simulate_command import NAMED_FROM, coverage_words
from pipeline.rehearsal.rehearse import rehearse_all
from tests.fakes.planted_bugs import double_send


def test_seeds_that_hold_are_counted_with_their_pace() -> None:
    result = CliRunner().invoke(app, ["simulate", "--seeds", "2", "--steps", "60"])
    assert result.exit_code == 0
    assert result.stdout.startswith("2 seeds in ")
    assert "every rule held" in result.stdout
    assert "a second" in result.stdout


def test_a_seed_alone_is_one_seed() -> None:
    assert (
        CliRunner().invoke(app, ["simulate", "--seed", "5", "--steps", "60"]).stdout.startswith("1 seed in")
    )


def test_a_broken_seed_is_named_with_its_rule_and_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    double_send(monkeypatch)
    result = CliRunner().invoke(app, ["simulate", "--seeds", "3"])
    assert result.exit_code == 1
    assert "S3 a client order id was sent twice" in result.stdout
    assert "again: lobdeck simulate --seed " in result.stdout
    assert "broke a rule" in result.stdout


def test_no_seeds_are_refused() -> None:
    assert CliRunner().invoke(app, ["simulate", "--seeds", "0"]).exit_code == 2


def test_crash_points_that_were_missed_are_named_only_where_enough_seeds_ran() -> None:
    [outcome] = rehearse_all(range(5, 6), 60)
    few, many = coverage_words([outcome]), coverage_words([outcome] * NAMED_FROM)
    assert few.endswith(" kinds")
    assert "at none of" in few
    assert f"{few}: {min(set(outcome.passed) - set(outcome.died_at))}" in many.replace(
        f"{len(outcome.died_at) * NAMED_FROM} times", f"{len(outcome.died_at)} times"
    )

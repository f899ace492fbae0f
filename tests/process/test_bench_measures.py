"""`lobdeck bench` for real: every part gives its rows; the kill key is timed on a console nobody reads."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from app import bench_attached, bench_console, bench_decision, bench_flood, bench_kill
from app.bench_report import Verdict
from app.bench_terminal import TerminalProgram
from app.bench_tools import BenchError, Plan
from app.replay_command import sample_capture
from pipeline.runtime.places import session_place
from tests.fakes.sessions import run_lobdeck

PARTS = ("book", "workers", "orders", "replay", "memory")


def test_quick_bench_measures_every_part_but_the_screen(tmp_path: Path) -> None:
    parts = [word for part in PARTS for word in ("--only", part)]
    done = run_lobdeck(tmp_path, "bench", "--quick", "--json", "--capture", str(sample_capture()), *parts)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stderr.splitlines()] == list(PARTS)
    content = json.loads(done.stdout)
    measured = {row["what"]: row for row in content["rows"]}
    assert len(measured) == 17
    for what, row in measured.items():
        if row["note"].startswith("not installed"):
            continue
        assert row["measured"] is not None, f"{what}: {row['note']}"
        assert math.isfinite(row["measured"])
        assert row["profile"] or row["verdict"] != "MISSED", f"{what} missed, no profile"
    assert not (tmp_path / "sessions").exists(), "a bench left something in the user's home"


def test_kill_key_reaches_the_gate_while_nobody_reads_the_screen(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_kill, "QUICK_FROZEN_S", 1.5)
    with bench_console.demo("bench-kill") as (_, (first_s, prices_s)):
        assert 0 < first_s <= prices_s
        row = bench_kill.measure_kill(plan, session_place("bench-kill"))
    assert row.measured is not None
    assert 0 <= row.measured < 1_000
    assert "30 rounds: p50 " in row.note
    assert "; control p50 " in row.note
    assert not bench_console.is_running(session_place("bench-kill"))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(home))
    return Plan((sample_capture(),), "shipped", synthetic=True, quick=True, home=home)


def test_decisions_of_a_session_and_an_echo_are_timed_on_the_same_venue(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_decision, "SPELL_S", (1, 1))
    ratio, p99 = bench_decision.measure(plan)
    assert ratio.measured is not None
    assert p99.measured is not None
    assert 0.5 < ratio.measured < 100
    assert p99.measured > 0


def test_spells_with_a_console_are_compared_with_those_without(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_attached, "SPELL_S", (1, 1))
    monkeypatch.setattr(bench_attached, "SETTLE_S", 0.3)
    rows = bench_attached.measure(plan)
    assert len(rows) == 4
    assert all(row.measured is not None and 0 < row.measured < 1_000 for row in rows)


def test_a_flood_with_a_hung_worker_loses_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_flood, "FLOOD_S", (2, 2))
    monkeypatch.setattr(bench_flood, "MARGIN_S", 18)
    rows = bench_flood.measure(plan)
    assert [row.verdict for row in rows[:4]] == [Verdict.MET] * 4, [row.note for row in rows]
    assert " 0 workers hung" not in rows[1].note


def test_a_program_that_ends_is_no_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    with (
        TerminalProgram(("attach", "nosuch"), 24, 80) as console,
        pytest.raises(BenchError, match="status 2"),
    ):
        console.wait_for_prices(30)
